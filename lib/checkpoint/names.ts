import { choosePrefix, sharedPrefix } from './prefixes.js';

/** The names of arrays, derived from the keys of a file. */
export interface Naming {
  /** Key in the file and name of the array, in the order of the file. */
  readonly names: readonly (readonly [key: string, name: string])[];
  /** What was removed from the start of each key. */
  readonly prefix: string;
  /** Keys skipped on purpose. */
  readonly skipped: readonly string[];
}

/** Whether a key is that of a counter, of operations or parameters, that the profiler `thop` adds to every module. */
export function isProfilerCounter(key: string): boolean {
  return /(?:^|\.)total_(?:ops|params)$/.test(key);
}

/**
 * Names the arrays of a file: the prefix under which a GhostNet stands is removed, and keys outside it are skipped, as are the
 * counters of a profiler. Where there is no GhostNet, the prefixes of common wrappers are removed if every key has them.
 *
 * @param asked - the option `prefix`
 * @throws GhostNetError `GHOSTNET_PARAMETERS_MISMATCH` if several prefixes fit, `GHOSTNET_INVALID_ARGUMENT` if the one asked for does not
 */
export function nameArrays(keys: readonly string[], source: string, asked?: string): Naming {
  const kept = keys.filter((key) => !isProfilerCounter(key));
  const { prefix, others } = choosePrefix(kept, asked, source) ?? { prefix: sharedPrefix(kept), others: [] };
  const isOfNetwork = (key: string): boolean =>
    key.startsWith(prefix) && !others.some((other) => key.startsWith(other));
  const names = kept.filter(isOfNetwork).map((key) => [key, key.slice(prefix.length)] as const);
  const skipped = keys.filter((key) => isProfilerCounter(key) || !isOfNetwork(key));
  return { names, prefix, skipped };
}
