import { createHash } from 'node:crypto';

import type { Sample } from './types.js';

/** How samples are divided. */
export interface SplitOptions {
  /** Of the images of each class, for validation, from 0 to below 1. */
  readonly share: number;
  /** Another seed divides them in another way. */
  readonly seed: number;
}

/** Samples that are divided. */
export interface Divided<S extends Sample> {
  readonly train: readonly S[];
  readonly validation: readonly S[];
}

/** Samples of equal content, which stay together. */
interface Unit<S> {
  /** Its place in the order that decides. */
  readonly rank: string;
  readonly samples: S[];
}

/**
 * Divides samples by the hash of their content: the same content is always on the same side, whatever its name or its place. Each class
 * gives its share, at least one and never all of its contents.
 *
 * @returns both parts in an order that depends on contents, labels and seed alone
 */
export function splitSamples<S extends Sample>(
  samples: readonly S[],
  { share, seed }: SplitOptions,
): Divided<S> {
  const train: S[] = [];
  const validation: S[] = [];
  for (const units of unitsByClass(samples, seed)) {
    const wanted = share === 0 ? 0 : Math.max(1, Math.round(share * units.length));
    const count = Math.max(0, Math.min(wanted, units.length - 1));
    for (const [place, unit] of units.entries()) (place < count ? validation : train).push(...unit.samples);
  }
  return { train, validation };
}

/** The contents of each class, sorted. A content of several classes belongs to the first. */
function unitsByClass<S extends Sample>(samples: readonly S[], seed: number): Unit<S>[][] {
  const units = new Map<string, Unit<S>>();
  const sorted = [...samples].sort((a, b) => a.label - b.label);
  const classes = new Map<number, Unit<S>[]>();
  for (const sample of sorted) {
    const known = units.get(sample.key);
    if (known !== undefined) {
      known.samples.push(sample);
      continue;
    }
    const unit = { rank: rankOf(sample.key, seed), samples: [sample] };
    units.set(sample.key, unit);
    const others = classes.get(sample.label);
    if (others === undefined) classes.set(sample.label, [unit]);
    else others.push(unit);
  }
  for (const list of classes.values()) list.sort((a, b) => (a.rank < b.rank ? -1 : 1));
  return [...classes.values()];
}

function rankOf(key: string, seed: number): string {
  return createHash('sha256').update(`${seed}:${key}`).digest('hex');
}
