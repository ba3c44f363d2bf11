import { unsupported } from './faults.js';

/** The names of arrays, derived from the keys of a file. */
export interface Naming {
  /** Key in the file and name of the array, in the order of the file. */
  readonly names: readonly (readonly [key: string, name: string])[];
  /** Keys skipped on purpose. */
  readonly skipped: readonly string[];
}

/** Counters of operations and parameters that the profiler `thop` registers as buffers of every module. */
const profilerCounter = /(?:^|\.)total_(?:ops|params)$/;

/** The prefix that torch.nn.DataParallel adds to every key. */
const parallelPrefix = 'module.';

/**
 * Names the arrays of a file: the counters of a profiler are skipped, and the prefix of DataParallel is removed if every key
 * has it.
 *
 * @throws GhostNetError `GHOSTNET_UNSUPPORTED_FORMAT` if the keys are those of the older GhostNet
 */
export function nameArrays(keys: readonly string[], source: string): Naming {
  const skipped = keys.filter((key) => profilerCounter.test(key));
  const kept = keys.filter((key) => !profilerCounter.test(key));
  const cut = kept.every((key) => key.startsWith(parallelPrefix)) ? parallelPrefix.length : 0;
  const names = kept.map((key) => [key, key.slice(cut)] as const);
  refuseOlderGhostNet(
    names.map(([, name]) => name),
    source,
  );
  return { names, skipped };
}

function refuseOlderGhostNet(names: readonly string[], source: string): void {
  const older =
    names.some((name) => /^features\.\d+\./.test(name)) && names.some((name) => name.startsWith('squeeze.'));
  if (!older) return;
  throw unsupported(
    source,
    'these are weights of the first GhostNet code (keys features.N and squeeze), which is another network: ' +
      'its squeeze-and-excitation uses clamp(0, 1), and its head has a BatchNorm',
    'Use weights of the current GhostNet code, with keys such as conv_stem.weight and blocks.0.0.',
  );
}
