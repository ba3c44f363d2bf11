export { cacheFolder, findCached, type CacheOptions, type CacheSurroundings } from './cache.js';
export type { DownloadProgress } from './download.js';
export { pullWeights, type PulledWeights, type PullOptions, type PullTimeouts } from './pull-weights.js';
export { findWeights, nearestWeights, weightsRegistry, type WeightsEntry } from './registry.js';
