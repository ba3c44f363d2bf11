import type { IncomingMessage, ServerResponse } from 'node:http';

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
  writeHead(response, status, headers, body);
  response.end(body);
}

function writeHead(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  body: Buffer | string,
): void {
  response.writeHead(status, {
    ...headers,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
  });
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

/** Whether nothing of the body is on its way. A request without one is complete only after its handler has run. */
function isRead({ complete, headers }: IncomingMessage): boolean {
  return complete || (headers['transfer-encoding'] === undefined && !(Number(headers['content-length']) > 0));
}

/** How long a client may go on to send a body that nobody reads, in milliseconds, so that it gets to read the answer. */
export const lingerMs = 2_000;

/** Sends an error: its status, and `{"error", "code"}`. The connection ends if the body of the request has not been read. */
export function sendError(
  request: IncomingMessage,
  response: ServerResponse,
  error: GhostNetError,
  given: Readonly<Record<string, string>> = {},
): void {
  const status = statusOf(error);
  const retry = isTransient(status) ? { 'retry-after': String(retryAfter) } : {};
  const headers = { ...retry, ...given };
  if (isRead(request) || response.headersSent || response.destroyed) {
    sendJson(response, status, errorBody(error), headers);
    return;
  }
  // The whole answer, but its end closes the connection: what the client still sends would reset it before the answer is read.
  const body = JSON.stringify(errorBody(error));
  writeHead(response, status, { 'content-type': 'application/json', connection: 'close', ...headers }, body);
  response.write(body);
  const end = (): void => {
    clearTimeout(timer);
    response.end();
  };
  const timer = setTimeout(end, lingerMs);
  request.once('end', end).once('close', end).resume();
}
