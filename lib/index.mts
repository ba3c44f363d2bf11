// The door for import.
export * from './index.js';
