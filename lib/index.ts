/**
 * GhostNet image networks for Node.js.
 *
 * @packageDocumentation
 */
export type { ContainerFormat } from './checkpoint/index.js';
export { errorCatalogue, GhostNetError, type ErrorCode, type ErrorDetails } from './errors.js';
export type { DecodeOptions } from './image/options.js';
export type { ImageInput, RawImage, WebStream } from './image/input.js';
export type { TransformOptions } from './image/transform.js';
export { ghostModule, type FoldedGhostModule, type GhostModuleOptions } from './model/ghost-module.js';
export { GhostNet, type TrainResult } from './model/ghostnet.js';
export { inspectWeights, type WeightsReport } from './model/inspect.js';
export type { ModelInfo } from './model/model-info.js';
export type { BatchOf, NetworkInput } from './model/network-input.js';
export type { CreateOptions, LoadOptions, ModelOptions, OpenOptions, StateOptions } from './model/options.js';
export type { Precision } from './model/precision.js';
export type { SaveOptions } from './model/save-weights.js';
export { embeddedModel, type WeightsSource } from './model/source.js';
export type { TrainOptions } from './model/train.js';
export type { StageRow, WeightsForm } from './native/addon.js';
export type { Device } from './native/device.js';
export type { RunOptions } from './native/jobs.js';
export {
  Pipeline,
  type BatchEvent,
  type BatchOptions,
  type ClassifyOptions,
  type ClassScore,
  type ImageEvent,
  type Outcome,
  type PipelineOptions,
  type PipelineOutput,
  type PipelineStats,
  type RejectedEvent,
  type StageTimes,
  type StreamItem,
  type StreamOptions,
  type StreamResult,
  type Times,
} from './pipeline/index.js';
export { Tensor, type DType, type DTypeOf, type Shape, type TypedArrays } from './tensor.js';
export type { ClassMetrics, Evaluation, Mistake, TrainMetrics } from './training/metrics.js';
export type { AugmentOptions, FinetuneSettings } from './training/finetune-settings.js';
export type { TrainingOptions } from './training/options.js';
export type { TrainingRecord } from './training/record.js';
export type { LabelledImage } from './training/spool.js';
export type { TrainingImages } from './training/train.js';
export type {
  EpochReport,
  SourceNetwork,
  StepReport,
  TrainMode,
  TrainProgress,
  TrainWarning,
} from './training/types.js';
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
