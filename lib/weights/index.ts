export { cacheFolder, findCached, type CacheOptions, type CacheSurroundings } from './cache.js';
export type { DownloadProgress } from './download.js';
export { pullWeights, type PulledWeights, type PullOptions, type PullTimeouts } from './pull-weights.js';
export { findWeights, remedyForName, weightsRegistry, type WeightsEntry } from './registry.js';
export { families, isVariantName, nearestVariant } from './variant-names.js';
