import type { IncomingMessage, ServerResponse } from 'node:http';

import type { Models } from '../models.js';
import type { Metrics } from '../metrics.js';
import type { Body } from './body.js';

/** One request on its way through the handler. */
export interface Call {
  readonly models: Models;
  readonly metrics: Metrics;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The parts of the path that stand for a name. */
  readonly parameters: Readonly<Partial<Record<'model' | 'version', string>>>;
  readonly query: URLSearchParams;
  /** Fires when the client is gone. */
  readonly signal: AbortSignal;
  readonly readBody: () => Promise<Body>;
  /** Tells the owner of the server of an error that nobody foresaw. */
  readonly report: (error: unknown) => void;
}
