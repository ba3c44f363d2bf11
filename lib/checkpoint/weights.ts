import { GhostNetError } from '../errors.js';

/** Which weights of a training checkpoint to take; `auto` prefers the averaged ones (EMA) where there are any. */
export type WeightsChoice = 'auto' | 'ema' | 'raw';

/** The error for a file without the weights that the caller asked for. */
export function absentWeights(weights: 'ema' | 'raw', source: string): GhostNetError {
  const [asked, only] = weights === 'ema' ? ['no averaged', 'plain'] : ['no plain', 'averaged'];
  return new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `${source}: the file has ${asked} weights`, {
    found: `${only} weights only`,
    remedy: `Leave out the option weights: '${weights}' to take them.`,
  });
}
