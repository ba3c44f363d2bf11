import type { ServerResponse } from 'node:http';

import type { GhostNetError } from '../../errors.js';
import { isTransient, statusOf } from '../faults.js';

/** Seconds after which a client should try again: a full queue empties in less. */
const retryAfter = 1;

/** Sends a whole response. */
export function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer | string,
): void {
  // The client is gone.
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
  });
  response.end(body);
}

/** Sends JSON. */
export function sendJson(
  response: ServerResponse,
  status: number,
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  send(response, status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value));
}

/** The body of an error. */
export const errorBody = ({ message, code }: GhostNetError): object => ({ error: message, code });

/** Sends an error: its status, and `{"error", "code"}`. */
export function sendError(
  response: ServerResponse,
  error: GhostNetError,
  headers: Readonly<Record<string, string>> = {},
): void {
  const status = statusOf(error);
  const retry = isTransient(status) ? { 'retry-after': String(retryAfter) } : {};
  sendJson(response, status, errorBody(error), { ...retry, ...headers });
}
