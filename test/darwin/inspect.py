"""Prints what macOS libraries need and have, as JSON: python3 inspect.py <library>..."""
import json
import sys

import lief


def described(path):
    binary = lief.MachO.parse(path).at(0)
    undefined, defined = [], []
    for symbol in binary.symbols:
        kind = symbol.raw_type & 0x0E
        if symbol.raw_type & 0xE0 or not symbol.raw_type & 0x01:
            continue  # for a debugger, or local
        (undefined if kind == 0 else defined).append(symbol.name)
    trie = binary.dyld_exports_trie if binary.has_dyld_exports_trie else binary.dyld_info
    version = binary.build_version.minos
    return {
        "path": path,
        "type": binary.header.file_type.name,
        "processor": binary.header.cpu_type.name,
        "oldest": ".".join(str(part) for part in version[:2]),
        "name": next((c.name for c in binary.commands if c.command == lief.MachO.LoadCommand.TYPE.ID_DYLIB), None),
        "needed": [library.name for library in binary.libraries if library.command != lief.MachO.LoadCommand.TYPE.ID_DYLIB],
        "rpaths": [command.path for command in binary.rpaths],
        "undefined": sorted(set(undefined)),
        "exported": sorted({export.symbol.name for export in trie.exports if export.symbol}),
    }


print(json.dumps([described(path) for path in sys.argv[1:]]))
