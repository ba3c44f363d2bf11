import { badRequest } from '../faults.js';

// BYTES tensors as binary data: each element is its length, 4 bytes little-endian, and its bytes.

/**
 * The elements of a binary BYTES tensor, as views of it.
 *
 * @param count - how many its shape says
 * @throws {@link GhostNetError} `GHOSTNET_BAD_REQUEST`
 */
export function elementsOf(content: Uint8Array, count: number, name: string): Uint8Array[] {
  const view = new DataView(content.buffer, content.byteOffset, content.byteLength);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < content.byteLength;) {
    const start = at + 4;
    const end = start <= content.byteLength ? start + view.getUint32(at, true) : Infinity;
    if (end > content.byteLength || elements.length === count) {
      throw badRequest(`The bytes of the input ${name} do not end with its last element`, {
        found: `${content.byteLength} bytes, of which ${at} belong to ${elements.length} elements`,
        expected: `${count} elements, each 4 bytes with its length and its bytes`,
      });
    }
    elements.push(content.subarray(start, end));
    at = end;
  }
  if (elements.length === count) return elements;
  throw badRequest(`The input ${name} has fewer elements than its shape says`, {
    found: String(elements.length),
    expected: String(count),
  });
}

/** Strings as a binary BYTES tensor. */
export function bytesOf(values: readonly string[]): Buffer {
  return Buffer.concat(
    values.flatMap((value) => {
      const bytes = Buffer.from(value);
      const length = Buffer.alloc(4);
      length.writeUInt32LE(bytes.byteLength);
      return [length, bytes];
    }),
  );
}

/** Numbers as a binary FP32 tensor. */
export function littleEndian(values: Float32Array): Buffer {
  return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
}
