// Reads the libraries that a Windows library needs.
import { readFileSync } from 'node:fs';

// Positions in the data directory, the size of a descriptor, and the offset of the library name in it.
const tables = [
  { index: 1, size: 20, name: 12 }, // imports
  { index: 13, size: 32, name: 4 }, // imports that wait for their first use
];

/**
 * @param {string} path - a 64-bit PE file
 * @returns {{ needed: string[] }}
 */
export function readPe(path) {
  const bytes = readFileSync(path);
  const header = bytes.readUInt32LE(0x3c);
  const optional = header + 24;
  if (bytes.readUInt32LE(header) !== 0x4550 || bytes.readUInt16LE(optional) !== 0x20b) {
    throw new Error(`${path} is not a 64-bit PE file`);
  }
  const sections = Array.from({ length: bytes.readUInt16LE(header + 6) }, (_, index) => {
    const at = optional + bytes.readUInt16LE(header + 20) + index * 40;
    const [size, address] = [bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 12)];
    return { size, address, offset: bytes.readUInt32LE(at + 20) };
  });
  const offsetOf = (address) => {
    const section = sections.find((one) => address >= one.address && address < one.address + one.size);
    if (section === undefined) throw new Error(`${path} names an address outside its sections`);
    return address - section.address + section.offset;
  };
  const needed = [];
  for (const { index, size, name } of tables) {
    const address = bytes.readUInt32LE(optional + 112 + index * 8);
    if (address === 0) continue;
    for (let at = offsetOf(address); bytes.readUInt32LE(at + name) !== 0; at += size) {
      const text = offsetOf(bytes.readUInt32LE(at + name));
      needed.push(bytes.toString('latin1', text, bytes.indexOf(0, text)));
    }
  }
  return { needed };
}
