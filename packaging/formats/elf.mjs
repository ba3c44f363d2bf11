// Reads the dependencies of a Linux shared library: libraries, symbols, symbol versions.
import { closeSync, openSync, readSync } from 'node:fs';

const SHT = { symtab: 2, dynamic: 6, dynsym: 11, versym: 0x6fffffff, verneed: 0x6ffffffe };
const DT = { needed: 1, soname: 14 };

/**
 * @param {string} path - a 64-bit little-endian ELF file
 * @returns {{ needed: string[], soname: string | undefined, imports: { name: string, version: string | undefined }[], hasSymbolTable:
 * boolean }} `hasSymbolTable`: whether it has one beside that of the system linker
 */
export function readElf(path) {
  const file = openSync(path, 'r');
  const read = (offset, length) => {
    const bytes = Buffer.alloc(length);
    if (readSync(file, bytes, 0, length, offset) !== length) throw new Error(`${path} is truncated`);
    return bytes;
  };
  try {
    const header = read(0, 64);
    if (header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2 || header[5] !== 1) {
      throw new Error(`${path} is not a 64-bit little-endian ELF file`);
    }
    const [size, count] = [header.readUInt16LE(58), header.readUInt16LE(60)];
    const table = read(Number(header.readBigUInt64LE(40)), size * count);
    const sections = Array.from({ length: count }, (_, index) => {
      const at = index * size;
      return {
        type: table.readUInt32LE(at + 4),
        offset: Number(table.readBigUInt64LE(at + 24)),
        size: Number(table.readBigUInt64LE(at + 32)),
        link: table.readUInt32LE(at + 40),
      };
    });
    const content = (section) => read(section.offset, section.size);
    const find = (type) => {
      const section = sections.find((candidate) => candidate.type === type);
      if (section === undefined) return undefined;
      const strings = content(sections[section.link]);
      return {
        bytes: content(section),
        text: (at) => strings.toString('utf8', at, strings.indexOf(0, at)),
      };
    };
    const dynamic = find(SHT.dynamic);
    if (dynamic === undefined) throw new Error(`${path} is not a shared library`);
    const entries = [];
    for (let at = 0; at < dynamic.bytes.length; at += 16) {
      entries.push([Number(dynamic.bytes.readBigInt64LE(at)), Number(dynamic.bytes.readBigUInt64LE(at + 8))]);
    }
    const named = (tag) => entries.filter(([kind]) => kind === tag).map(([, at]) => dynamic.text(at));
    return {
      needed: named(DT.needed),
      soname: named(DT.soname)[0],
      hasSymbolTable: sections.some(({ type }) => type === SHT.symtab),
      imports: readImports(
        find(SHT.dynsym),
        sections.find(({ type }) => type === SHT.versym),
        content,
        find(SHT.verneed),
      ),
    };
  } finally {
    closeSync(file);
  }
}

function readImports(symbols, versymSection, content, verneed) {
  if (symbols === undefined) return [];
  const versions = verneed === undefined ? new Map() : readVersions(verneed);
  const versym = versymSection === undefined ? undefined : content(versymSection);
  const imports = [];
  for (let index = 1; index * 24 < symbols.bytes.length; index += 1) {
    const at = index * 24;
    if (symbols.bytes.readUInt16LE(at + 6) !== 0) continue; // defined here
    imports.push({
      name: symbols.text(symbols.bytes.readUInt32LE(at)),
      version: versions.get(versym?.readUInt16LE(index * 2) & 0x7fff),
    });
  }
  return imports;
}

function readVersions({ bytes, text }) {
  const versions = new Map();
  for (let at = 0, next = 1; next !== 0; at += next) {
    let auxiliary = at + bytes.readUInt32LE(at + 8);
    for (let left = bytes.readUInt16LE(at + 2); left > 0; left -= 1) {
      versions.set(bytes.readUInt16LE(auxiliary + 6), text(bytes.readUInt32LE(auxiliary + 8)));
      auxiliary += bytes.readUInt32LE(auxiliary + 12);
    }
    next = bytes.readUInt32LE(at + 12);
  }
  return versions;
}
