// The door of ghostnet/prometheus for import.
export * from './observability/prometheus.js';
