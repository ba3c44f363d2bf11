const measures = 'it measures memory, of which a sanitizer takes several times as much';

/** Tests of the JavaScript suite that do not run over an addon with sanitizers: whole files, or those with a text in their names. */
export const leftOut = [
  { file: 'test/unit/packaging.test.ts', reason: 'it examines the binaries that are published' },
  {
    file: 'test/golden/accuracy.test.ts',
    reason: 'it unpacks pictures with CMake, which never ends with the preloaded library',
  },
  { file: 'test/processes/installed.test.ts', reason: 'it lays out installations of the usual binaries' },
  { file: 'test/processes/lifecycle.test.ts', test: 'stays flat over', reason: measures },
  {
    file: 'test/processes/lifecycle.test.ts',
    test: 'is taken into account by the garbage collector',
    reason: measures,
  },
  {
    file: 'test/unit/sources.test.ts',
    test: 'needs no more memory than one of twenty thousand',
    reason: measures,
  },
];
