import type { IncomingMessage, ServerResponse } from 'node:http';

import { GhostNetError } from '../errors.js';
import { errorOf, noSuchPath, notReady, report } from './faults.js';
import { Authorization } from './http/authorization.js';
import { BodyBudget, BodyReader } from './http/body.js';
import type { Call } from './http/call.js';
import { sendError } from './http/respond.js';
import { Router } from './http/router.js';
import { routes, type Route } from './http/routes.js';
import { Metrics } from './metrics.js';
import { Models } from './models.js';
import {
  handlerSettings,
  servedModels,
  type HandlerOptions,
  type HandlerSettings,
  type ServedModels,
} from './options.js';

/** Answers requests for models: a function for `node:http`, Express, Connect and other frameworks. */
export interface Handler {
  /**
   * Answers a request.
   *
   * @param next - of a framework: called for an address that the handler does not have; without it, the answer is 404
   */
  (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void;
  /** Resolves when all models are loaded and warm. @throws the error of one that cannot be loaded */
  whenReady(): Promise<void>;
  /** Whether the server is ready: all models are warm, and it does not end. */
  readonly isReady: boolean;
  /** Switches readiness off, so that load balancers send no more. Requests are answered as before, each on a connection that ends. */
  drain(): void;
  /** Takes no more requests (503), and resolves when all that were taken are answered. The models remain the caller's. */
  close(): Promise<void>;
  /** Rejects all requests that still wait, with 503. */
  destroy(): Promise<void>;
}

/** What gRPC shares with the handler. */
export interface HandlerParts {
  readonly models: Models;
  readonly authorization: Authorization;
  readonly settings: HandlerSettings;
  /** The bytes of all requests that are in memory. */
  readonly budget: BodyBudget;
  /**
   * Answers a request, for which `close()` waits.
   *
   * @throws {@link GhostNetError} `GHOSTNET_NOT_READY` after `close()`
   */
  answer<T>(work: () => Promise<T>): Promise<T>;
}

const parts = new WeakMap<object, HandlerParts>();

/** The parts of a handler. */
export function partsOf(handler: Handler): HandlerParts {
  const found = parts.get(handler);
  if (found !== undefined) return found;
  throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'This is no handler', {
    expected: 'what createHandler() returns',
  });
}

/**
 * Makes a handler that serves models by the Open Inference Protocol (version 2, with the binary tensor data and classification
 * extensions), `POST /classify` for files, a page for people, and `/metrics`.
 *
 * @param models - models by name, or a list with versions
 * @throws `GhostNetError` `GHOSTNET_INVALID_ARGUMENT`
 *
 * @example
 * ```ts
 * const handler = createHandler({ ghostnet_100: GhostNet.load('ghostnet_100') });
 * http.createServer(handler).listen(8080);
 * ```
 */
export function createHandler(models: ServedModels, options: HandlerOptions = {}): Handler {
  const settings = handlerSettings(options);
  const http = new HttpHandler(new Models(servedModels(models, options.pipeline)), settings);
  const handler = Object.assign(
    (request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void) => {
      http.handle(request, response, next);
    },
    {
      whenReady: () => http.models.whenReady(),
      isReady: false,
      drain: () => {
        http.models.drain();
      },
      close: () => http.close(),
      destroy: () => http.destroy(),
    },
  );
  Object.defineProperty(handler, 'isReady', { get: () => http.models.isReady });
  parts.set(handler, http);
  return handler;
}

class HttpHandler implements HandlerParts {
  readonly models: Models;
  readonly authorization: Authorization;
  readonly settings: HandlerSettings;
  readonly budget: BodyBudget;
  readonly #router: Router;
  readonly #bodies: BodyReader;
  readonly #metrics: Metrics;
  /** Requests that are not answered yet. */
  readonly #open = new Set<Promise<unknown>>();
  #isClosed = false;

  constructor(models: Models, settings: HandlerSettings) {
    this.models = models;
    this.authorization = new Authorization(settings.token);
    this.settings = settings;
    this.budget = new BodyBudget(settings.maxBufferedBytes);
    this.#router = new Router(settings.page ? routes : routes.filter(({ path }) => path !== '/'));
    this.#bodies = new BodyReader(settings.maxBodyBytes, this.budget);
    this.#metrics = new Metrics(settings.registry, models.all);
  }

  handle(request: IncomingMessage, response: ServerResponse, next?: (error?: unknown) => void): void {
    void this.#awaited(this.#answer(request, response, next));
  }

  async answer<T>(work: () => Promise<T>): Promise<T> {
    this.#checkOpen();
    return this.#awaited(work());
  }

  #awaited<T>(answering: Promise<T>): Promise<T> {
    const settled = answering.then(
      () => undefined,
      () => undefined,
    );
    this.#open.add(settled);
    void settled.then(() => this.#open.delete(settled));
    return answering;
  }

  #checkOpen(): void {
    if (this.#isClosed) throw notReady('The server ends');
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    next?: (error?: unknown) => void,
  ): Promise<void> {
    const method = request.method ?? '';
    // Proxies may send a whole address, without which the path begins.
    const target = (request.url ?? '').replace(/^https?:\/\/[^/?]*/i, '');
    const [path = '', search = ''] = target.split('?', 2);
    const { route, allowed, parameters } = this.#router.match(method, path);
    if (allowed.length === 0 && next !== undefined) {
      next();
      return;
    }
    const gone = new AbortController();
    response.once('close', () => {
      if (!response.writableFinished) gone.abort(new Error('The client is gone'));
    });
    // A client that writes to a connection that has just been closed would not know whether it was heard.
    if (this.models.isDraining) response.setHeader('connection', 'close');
    try {
      if (route === undefined) throw noRoute(method, path, allowed);
      this.#admit(request, route);
      await route.run({
        models: this.models,
        metrics: this.#metrics,
        request,
        response,
        parameters,
        query: new URLSearchParams(search),
        signal: gone.signal,
        readBody: () => this.#bodies.read(request),
        report,
      } satisfies Call);
    } catch (thrown) {
      this.#fail(request, response, errorOf(thrown, report), allowed);
    }
  }

  #admit(request: IncomingMessage, route: Route): void {
    if (route.isOpen === true) return;
    this.authorization.check(request.headers.authorization);
    this.#checkOpen();
  }

  #fail(
    request: IncomingMessage,
    response: ServerResponse,
    error: GhostNetError,
    allowed: readonly string[],
  ): void {
    const headers: Record<string, string> = {};
    if (error.code === 'GHOSTNET_METHOD_NOT_ALLOWED') headers.allow = allowed.join(', ');
    if (error.code === 'GHOSTNET_UNAUTHORIZED') headers['www-authenticate'] = 'Bearer';
    sendError(request, response, error, headers);
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.models.drain();
    await Promise.all(this.#open);
    await this.models.close();
    this.#metrics.close();
  }

  async destroy(): Promise<void> {
    this.#isClosed = true;
    this.#bodies.stop(notReady('The server ends'));
    await this.models.destroy();
    this.#metrics.close();
  }
}

function noRoute(method: string, path: string, allowed: readonly string[]): GhostNetError {
  if (allowed.length === 0) return noSuchPath(method, path);
  return new GhostNetError(
    'GHOSTNET_METHOD_NOT_ALLOWED',
    'The server does not have this method at this address',
    {
      found: JSON.stringify(method),
      expected: allowed.join(' or '),
    },
  );
}
