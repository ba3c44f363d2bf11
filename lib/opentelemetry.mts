// The door of ghostnet/opentelemetry for import.
export * from './observability/opentelemetry.js';
