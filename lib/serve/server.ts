import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

import { addressUnusable } from './faults.js';
import { listenGrpc } from './grpc/listener.js';
import { createHandler, type Handler } from './handler.js';
import { lingerMs } from './http/respond.js';
import type { Listener } from './listener.js';
import { serverSettings, type ServedModels, type ServerOptions, type ServerSettings } from './options.js';

/** A server that listens. */
export interface Server {
  /** The address, as `http://127.0.0.1:8080`. */
  readonly url: string;
  readonly port: number;
  /** The port for gRPC, at the same address; undefined without the option `grpcPort`. */
  readonly grpcPort: number | undefined;
  readonly handler: Handler;
  /** Resolves when all models are loaded and warm. @throws the error of one that cannot be loaded */
  whenReady(): Promise<void>;
  /**
   * Ends the server in order: readiness goes off; after `drainDelayMs` no connection is accepted; what was taken is answered; after
   * `graceMs` in all, the rest is rejected with 503. The models remain the caller's.
   */
  close(): Promise<void>;
}

/**
 * Starts a server with the handler of {@link createHandler}, and the limits of a server that is open to others. It listens at once, and
 * is ready when the models are.
 *
 * @throws `GhostNetError` `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_ADDRESS_UNUSABLE`, `GHOSTNET_PEER_NOT_INSTALLED`
 *
 * @example
 * ```ts
 * const server = await startServer({ ghostnet_100: GhostNet.load('ghostnet_100') }, { port: 8080 });
 * process.once('SIGTERM', () => void server.close());
 * ```
 */
export async function startServer(models: ServedModels, options: ServerOptions = {}): Promise<Server> {
  const settings = serverSettings(options);
  const handler = createHandler(models, settings.ofHandler);
  const listeners: Listener[] = [];
  try {
    const http = await listenHttp(handler, settings);
    listeners.push(http);
    const { host, port } = http;
    const { grpcPort } = settings;
    const grpc =
      grpcPort === undefined ? undefined : await listenGrpc(handler, http.host, grpcPort, settings);
    if (grpc !== undefined) listeners.push(grpc);
    let closing: Promise<void> | undefined;
    return {
      url: `http://${host}:${port}`,
      port,
      grpcPort: grpc?.port,
      handler,
      whenReady: () => handler.whenReady(),
      close: () => (closing ??= end(listeners, handler, settings)),
    };
  } catch (error) {
    await Promise.all([handler.destroy(), ...listeners.map((listener) => listener.stop())]);
    throw error;
  }
}

/** @param handler - that answers requests @returns the listener, and its address as it is in URLs */
async function listenHttp(
  handler: Handler,
  settings: ServerSettings,
): Promise<Listener & { readonly host: string }> {
  const server = createHttpServer({
    headersTimeout: settings.headersTimeoutMs,
    requestTimeout: settings.requestTimeoutMs,
    keepAliveTimeout: settings.idleTimeoutMs,
    connectionsCheckingInterval: Math.min(1000, settings.headersTimeoutMs),
  });
  server.maxConnections = settings.maxConnections;
  server.on('request', handler);
  server.on('clientError', refuse);
  await bind(server, settings);
  const { port, address, family } = server.address() as AddressInfo;
  return {
    port,
    host: family === 'IPv6' ? `[${address}]` : address,
    stop: () => {
      const closed = new Promise<void>((resolve) => {
        server.close(() => {
          resolve();
        });
      });
      server.closeIdleConnections();
      return closed;
    },
    cut: () => {
      server.closeAllConnections();
    },
  };
}

async function bind(server: HttpServer, { host, port }: ServerSettings): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause: NodeJS.ErrnoException) => {
      reject(addressUnusable(host, port, cause));
    });
    server.listen(port, host, resolve);
  });
}

async function end(
  listeners: readonly Listener[],
  handler: Handler,
  { drainDelayMs, graceMs }: ServerSettings,
): Promise<void> {
  const over = performance.now() + graceMs;
  handler.drain();
  // Load balancers look at readiness every few seconds, and send requests until then.
  await sleep(Math.min(drainDelayMs, graceMs));
  const closed = Promise.all(listeners.map((listener) => listener.stop()));
  const answered = handler.close();
  const late = new AbortController();
  const isInTime = await Promise.race([
    Promise.all([closed, answered]).then(() => true),
    sleep(Math.max(0, over - performance.now()), false, { signal: late.signal }).catch(() => true),
  ]);
  late.abort();
  if (isInTime) return;
  await handler.destroy();
  // Their 503 is on its way, also to those that still send.
  await Promise.race([closed, sleep(lingerMs)]);
  for (const listener of listeners) listener.cut();
  await closed;
}

const statuses: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
};

/** Answers what is no HTTP, has too long a head, or came too slowly. */
function refuse({ code }: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = statuses[code ?? ''] ?? '400 Bad Request';
  const body = JSON.stringify({
    error: `The request was refused: ${status.slice(4)}`,
    code: 'GHOSTNET_BAD_REQUEST',
  });
  socket.end(
    `HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
}
