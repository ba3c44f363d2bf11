import type { ErrorCode } from '../../../lib/errors.js';
import type { Random } from './random.js';

/** A parser under test. */
export interface Target {
  readonly name: string;
  /** Its share of the cases, compared with those of the others. */
  readonly share: number;
  /** The codes of the errors that it may throw. */
  readonly codes: readonly ErrorCode[];
  /** How many bytes its parser may allocate for each byte of an input. Default 200. */
  readonly bytesPerByte?: number;
  /** An input: a sound one, changed. */
  readonly make: (random: Random) => Buffer;
  /**
   * Parses an input, and checks that the result is sound.
   *
   * @returns undefined for a result, a word for another expected end
   * @throws an error with a code, or anything else if the parser fails
   */
  readonly parse: (input: Buffer) => string | undefined | Promise<string | undefined>;
}
