/**
 * GhostNet image networks for Node.js.
 *
 * @packageDocumentation
 */
export type { Device } from './device.js';
export { errorCatalogue, GhostNetError, type ErrorCode, type ErrorDetails } from './errors.js';
export { ghostModule, type FoldedGhostModule, type GhostModuleOptions } from './ghost-module.js';
export type { ContainerFormat } from './checkpoint/index.js';
export { inspectWeights, type WeightsReport } from './inspect.js';
export type { DecodeOptions, ImageInput, RawImage } from './image/decode.js';
export {
  embeddedModel,
  GhostNet,
  type BatchOf,
  type ClassifyOptions,
  type CreateOptions,
  type LoadOptions,
  type ModelInfo,
  type ModelOptions,
  type NetworkInput,
  type RunOptions,
  type TransformOptions,
} from './model.js';
export type { StageRow } from './native.js';
export type { Precision } from './precision.js';
export type { ClassScore } from './pipeline/classify.js';
export { Tensor, type DType, type DTypeOf, type Shape, type TypedArrays } from './tensor.js';
export type { WeightsSource } from './weights-source.js';
export {
  cacheFolder,
  type CacheSurroundings,
  type CacheOptions,
  pullWeights,
  weightsRegistry,
  type DownloadProgress,
  type PulledWeights,
  type PullOptions,
  type PullTimeouts,
  type WeightsEntry,
} from './weights/index.js';
