// Protobuf messages: a message is the concatenation of its fields, each made by one of these functions.

function varint(value) {
  const bytes = [];
  for (; value >= 0x80; value = Math.floor(value / 0x80)) bytes.push((value % 0x80) | 0x80);
  return Buffer.from([...bytes, value]);
}

/** A whole number from 0. */
export function integer(field, value) {
  return Buffer.concat([varint(field * 8), varint(value)]);
}

/** A float32. */
export function float(field, value) {
  const bytes = Buffer.alloc(4);
  bytes.writeFloatLE(value);
  return Buffer.concat([varint(field * 8 + 5), bytes]);
}

/** A string, bytes, or a message that is given as the list of its fields. */
export function content(field, value) {
  const bytes = Array.isArray(value) ? Buffer.concat(value) : Buffer.from(value);
  return Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
}
