import { createHash, timingSafeEqual } from 'node:crypto';

import { GhostNetError } from '../../errors.js';

/** Checks bearer tokens in constant time: neither its length nor its beginning can be found out. */
export class Authorization {
  readonly #expected: Buffer | undefined;

  /** @param token - undefined lets everybody in */
  constructor(token: string | undefined) {
    this.#expected = token === undefined ? undefined : digestOf(token);
  }

  /**
   * @param header - the value of `Authorization`
   * @throws {@link GhostNetError} `GHOSTNET_UNAUTHORIZED`
   */
  check(header: string | undefined): void {
    if (this.#expected === undefined) return;
    const [, token] = /^Bearer +(\S+) *$/i.exec(header ?? '') ?? [];
    const isRight = timingSafeEqual(digestOf(token ?? ''), this.#expected);
    if (token !== undefined && isRight) return;
    throw new GhostNetError('GHOSTNET_UNAUTHORIZED', 'The request has no token, or a wrong one', {
      expected: 'the header `Authorization: Bearer <token>`',
    });
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
