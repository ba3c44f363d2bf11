/**
 * A server for models, by the Open Inference Protocol.
 *
 * @module ghostnet/serve
 */
export { addGrpcServices, type GrpcServer } from './grpc/add.js';
export { createHandler, type Handler } from './handler.js';
export type {
  HandlerOptions,
  MetricsRegistry,
  QueueOptions,
  ServedModel,
  ServedModels,
  ServerOptions,
} from './options.js';
export { startServer, type Server } from './server.js';
