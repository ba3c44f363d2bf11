// The door of ghostnet/serve for import.
export * from './serve/index.js';
