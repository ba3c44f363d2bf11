// Where the undefined symbols of an addon for macOS come from.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const { symbols: nodeApi } = createRequire(import.meta.url)('node-api-headers');

/** Mach-O puts an underscore before the names of C. */
const mangled = (name) => `_${name}`;

/** Of the newer C++ library of zig, in its headers and not yet in macOS 14: a reason never to publish what is linked here. */
const newerThanMacOS = [
  /^__ZNSt3__1\d+__hash_memoryEPKvm$/,
  /^__ZNSt3__1\d+__atomic_\w+_global/,
  // Each binary has its own with the headers of macOS 14.
  /^__Z(?:T[IV]N|N)St3__117bad_function_call/,
];

/** The deletes of C++14 and C++17 that know the size: in macOS since 10.13, and not asked for by the compiler of LibTorch. */
const sizedDelete = /^__Zd[al]Pvm(?:St11align_val_t)?$/;

/** The symbols of libSystem, as a .tbd file lists them. */
function symbolsOfStub(path) {
  return new Set(readFileSync(path, 'utf8').match(/(?<=[\s,['])_[\w$.]+/g));
}

/**
 * @param {string} stub - the .tbd file of libSystem
 * @param {{ exported: string[], undefined: string[] }[]} libtorch - its libraries
 * @returns {{ name: string, has: (symbol: string) => boolean }[]} the places where a symbol may be, the first that has it counts
 */
export function placesOf(stub, libtorch) {
  const ofSystem = symbolsOfStub(stub);
  const ofNode = new Set(
    Object.values(nodeApi).flatMap(({ js_native_api_symbols: engine, node_api_symbols: node }) =>
      [...engine, ...node].map(mangled),
    ),
  );
  const ofLibTorch = new Set(libtorch.flatMap(({ exported }) => exported));
  // There is no list of the symbols of libc++ in macOS 14; what LibTorch takes from it is there.
  const takenByLibTorch = new Set(libtorch.flatMap(({ undefined: taken }) => taken));
  return [
    { name: 'Node-API', has: (symbol) => ofNode.has(symbol) },
    { name: 'LibTorch', has: (symbol) => ofLibTorch.has(symbol) },
    { name: 'libSystem', has: (symbol) => ofSystem.has(symbol) },
    { name: 'C++ library, as LibTorch', has: (symbol) => takenByLibTorch.has(symbol) },
    { name: 'C++ library, for a size', has: (symbol) => sizedDelete.test(symbol) },
    { name: "zig's C++ library alone", has: (symbol) => newerThanMacOS.some((form) => form.test(symbol)) },
  ];
}

/** @returns {Map<string, string[]>} the symbols by place; those of none under `nowhere` */
export function sorted(symbols, places) {
  const found = new Map([...places.map(({ name }) => [name, []]), ['nowhere', []]]);
  for (const symbol of symbols)
    found.get(places.find(({ has }) => has(symbol))?.name ?? 'nowhere').push(symbol);
  return found;
}
