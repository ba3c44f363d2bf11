import { commandLineTargets } from './arguments.js';
import { checkpoints } from './checkpoints.js';
import { descriptions } from './descriptions.js';
import { downloads } from './downloads.js';
import type { Random } from './random.js';
import type { Target } from './target.js';

export const targets: readonly Target[] = [
  ...checkpoints,
  ...descriptions,
  ...downloads,
  ...commandLineTargets,
];

const tickets = targets.flatMap((target) => Array.from({ length: target.share }, () => target));

/** The target of a case, by their shares. */
export function pickTarget(random: Random): Target {
  return random.pick(tickets);
}
