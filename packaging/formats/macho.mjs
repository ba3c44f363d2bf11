// Reads the libraries that a macOS library needs.
import { closeSync, openSync, readSync } from 'node:fs';

// LC_LOAD_DYLIB, and its weak, re-exporting and upward kinds.
const loads = new Set([0xc, 0x80000018, 0x8000001f, 0x80000023]);

/**
 * @param {string} path - a 64-bit Mach-O file of one architecture
 * @returns {{ needed: string[] }} as they are named in the file, with prefixes such as @rpath/
 */
export function readMachO(path) {
  const file = openSync(path, 'r');
  try {
    const header = Buffer.alloc(32);
    readSync(file, header, 0, 32, 0);
    if (header.readUInt32LE(0) !== 0xfeedfacf) throw new Error(`${path} is not a 64-bit Mach-O file`);
    const commands = Buffer.alloc(header.readUInt32LE(20));
    readSync(file, commands, 0, commands.length, 32);
    const needed = [];
    for (let at = 0, left = header.readUInt32LE(16); left > 0; left -= 1) {
      const size = commands.readUInt32LE(at + 4);
      if (loads.has(commands.readUInt32LE(at))) {
        const name = at + commands.readUInt32LE(at + 8);
        needed.push(commands.toString('utf8', name, commands.indexOf(0, name)));
      }
      at += size;
    }
    return { needed };
  } finally {
    closeSync(file);
  }
}
