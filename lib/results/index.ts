// The public part of results, and what the rest of the package uses.
export { JsonLinesFile } from './json-lines.js';
export { PostgresTable, type PostgresOptions } from './postgres.js';
export { RedisHash } from './redis-hash.js';
export type { ResultRow, ResultSink } from './row.js';
