// The door of ghostnet/queue for import.
export * from './queue/index.js';
