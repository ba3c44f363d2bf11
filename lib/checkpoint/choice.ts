import { GhostNetError } from '../errors.js';

/** The weights to take from a training checkpoint; `auto` prefers the averaged ones (EMA) where there are any. */
export const weightsChoices = ['auto', 'ema', 'raw'] as const;
export type WeightsChoice = (typeof weightsChoices)[number];

/** The error for a file without the weights that the caller asked for. */
export function absentWeights(weights: 'ema' | 'raw', source: string): GhostNetError {
  const [asked, only] = weights === 'ema' ? ['no averaged', 'plain'] : ['no plain', 'averaged'];
  return new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `${source}: the file has ${asked} weights`, {
    found: `${only} weights only`,
    remedy: `Leave out the option weights: '${weights}' to take them.`,
  });
}
