const emulated = 'it measures time or memory, of which qemu takes several times as much';
const machine = 'it builds or examines with programs of the machine, which are not for ARM';

/** Files of the JavaScript suite that do not run under qemu, each with the reason. */
export const leftOut = [
  { file: 'test/processes/event-loop.test.ts', reason: emulated },
  { file: 'test/unit/memory.test.ts', reason: emulated },
  { file: 'test/processes/weights-work.test.ts', reason: emulated },
  { file: 'test/processes/lifecycle.test.ts', reason: emulated },
  { file: 'test/unit/prerequisites.test.ts', reason: machine },
];
