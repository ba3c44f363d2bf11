export { decodersFor } from './decoders.js';
export type { BatchEvent, ImageEvent, RejectedEvent } from './events.js';
export {
  batchKeys,
  classifyKeys,
  pipelineSettings,
  type BatchOptions,
  type ClassifyOptions,
  type PipelineOptions,
  type PipelineOutput,
  type PipelineSettings,
} from './options.js';
export {
  answersOutput,
  classifyOutput,
  embedOutput,
  inputOutput,
  type Answers,
  type ClassScore,
  type Output,
  type PipelineModel,
  type Want,
} from './outputs.js';
export { Pipeline, pipelineOf } from './pipeline.js';
export { Scheduler } from './scheduler.js';
export type { Outcome, PipelineStats, StageTimes, Times } from './stats.js';
export { settleEach, type StreamItem, type StreamOptions, type StreamResult } from './stream.js';
