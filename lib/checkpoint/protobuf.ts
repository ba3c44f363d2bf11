/** One field of a protobuf message: its number, its wire type, and its content. */
export interface ProtobufField {
  readonly number: number;
  readonly wire: 'varint' | 'bytes' | 'fixed';
  /** The value of a varint. */
  readonly value: number;
  /** The content of a field of bytes, as far as the message contains it. */
  readonly content: Uint8Array;
}

/** Enough fields to recognise a format. */
const mostFields = 64;

const nothing = new Uint8Array(0);

/**
 * The first fields of a protobuf message, at its top level. The last field may be truncated.
 *
 * @returns `undefined` if the bytes are not a protobuf message
 */
export function readProtobufFields(bytes: Uint8Array): readonly ProtobufField[] | undefined {
  const fields: ProtobufField[] = [];
  let position = 0;
  const varint = (): number | undefined => {
    let value = 0;
    for (let shift = 0; shift < 10; shift += 1) {
      const byte = bytes[position];
      if (byte === undefined) return undefined;
      position += 1;
      value += (byte & 0x7f) * 2 ** (7 * shift);
      if (byte < 0x80) return value;
    }
    return undefined;
  };
  while (position < bytes.byteLength && fields.length < mostFields) {
    const tag = varint();
    if (tag === undefined || tag < 8) return undefined;
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case 0: {
        const value = varint();
        if (value === undefined) return undefined;
        fields.push({ number, wire: 'varint', value, content: nothing });
        break;
      }
      case 2: {
        const length = varint();
        if (length === undefined) return undefined;
        fields.push({
          number,
          wire: 'bytes',
          value: 0,
          content: bytes.subarray(position, position + length),
        });
        position += length;
        break;
      }
      case 1:
      case 5:
        fields.push({ number, wire: 'fixed', value: 0, content: nothing });
        position += tag % 8 === 1 ? 8 : 4;
        break;
      default:
        return undefined;
    }
  }
  return fields;
}
