import { badRequest } from '../faults.js';

// A message of a few million empty parts would become objects of a hundred times its bytes.

/** The most fields and 64-bit integers of a request, which take far more memory than their bytes. */
const mostParts = 250_000;

/** Fields of a message: those that are messages, and lists of integers that become objects on the way. */
interface Layout {
  readonly [field: number]: Layout | 'integers';
}

/** ModelInferRequest, with its inputs and their contents, and its outputs, as far as lists are in them. */
const inferRequest: Layout = {
  5: { 3: 'integers', 4: {}, 5: { 3: 'integers', 5: 'integers' } },
  6: { 2: {} },
};

/**
 * Counts what a ModelInferRequest is made of before it is read.
 *
 * @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST`
 */
export function checkParts(message: Uint8Array): void {
  new PartsReader(message).message(message.byteLength, inferRequest);
}

class PartsReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  #parts = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  message(end: number, layout: Layout): void {
    while (this.#at < end) {
      this.#count(1);
      const tag = this.#varint();
      const within = layout[Math.floor(tag / 8)];
      switch (tag % 8) {
        case 0:
          this.#varint();
          break;
        case 1:
          this.#at += 8;
          break;
        case 2: {
          const next = this.#varint() + this.#at;
          if (next > end) throw malformed();
          if (within === 'integers') this.#count(next - this.#at);
          else if (within !== undefined) this.message(next, within);
          this.#at = next;
          break;
        }
        case 5:
          this.#at += 4;
          break;
        default:
          throw malformed();
      }
    }
    if (this.#at > end) throw malformed();
  }

  #varint(): number {
    let value = 0;
    for (let scale = 1; scale < 2 ** 70; scale *= 128) {
      const byte = this.#bytes[this.#at];
      if (byte === undefined) break;
      this.#at += 1;
      value += (byte % 128) * scale;
      if (byte < 128) return value;
    }
    throw malformed();
  }

  #count(parts: number): void {
    this.#parts += parts;
    if (this.#parts <= mostParts) return;
    throw badRequest('The message of the request has too many parts', {
      expected: `at most ${mostParts} fields; tensors in raw_input_contents`,
    });
  }
}

const malformed = (): Error => badRequest('The message of the request is no ModelInferRequest');
