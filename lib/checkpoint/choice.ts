import { GhostNetError } from '../errors.js';

/** The weights of a training checkpoint to use; `auto` prefers averaged weights (EMA) if there are any. */
export const weightsChoices = ['auto', 'ema', 'raw'] as const;
export type WeightsChoice = (typeof weightsChoices)[number];

/** The error for a file without the requested weights. */
export function absentWeights(weights: 'ema' | 'raw', source: string): GhostNetError {
  const [asked, only] = weights === 'ema' ? ['no averaged', 'plain'] : ['no plain', 'averaged'];
  return new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `${source}: the file has ${asked} weights`, {
    found: `${only} weights only`,
    remedy: `Omit the option weights: '${weights}' to use them.`,
  });
}
