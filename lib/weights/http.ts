import { unescape } from 'node:querystring';

import type { Dispatcher } from 'undici';

import { GhostNetError } from '../errors.js';

/** How long a server may keep a download waiting, in milliseconds. */
export interface HttpTiming {
  /** For a connection. */
  readonly connectMs: number;
  /** For the next byte of the head or the body of a response, and for a body that comes slower than a kilobyte a second. */
  readonly stallMs: number;
}

/** A response whose body has not been read. */
export interface HttpResponse {
  readonly status: number;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  /** Reads the body, once. @throws {@link Interrupted} if the connection breaks or stalls */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Discards the body. */
  drop(): void;
}

/** A temporary failure, worth another attempt. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** The wait that the server requests. */
  readonly retryAfterMs: number | undefined;
  /** The code of the error after the last attempt. */
  readonly code: 'GHOSTNET_DOWNLOAD_FAILED' | 'GHOSTNET_DOWNLOAD_MISMATCH';

  constructor(
    message: string,
    details: { cause?: unknown; retryAfterMs?: number | undefined; code?: Interrupted['code'] } = {},
  ) {
    super(message, { cause: details.cause });
    this.retryAfterMs = details.retryAfterMs;
    this.code = details.code ?? 'GHOSTNET_DOWNLOAD_FAILED';
  }
}

const mostRedirects = 5;

/** Permanent failures: a name that does not exist, a certificate that is not trusted. */
const lasting = new Set([
  'ENOTFOUND',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'CERT_REVOKED',
  'CERT_UNTRUSTED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'ERR_TLS_CERT_ALTNAME_INVALID',
]);

/** Requests over http(s), through the proxy that `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` set, if any. */
export class HttpClient {
  readonly #dispatcher: Dispatcher;
  readonly #request: typeof import('undici').request;
  readonly #stallMs: number;

  private constructor(dispatcher: Dispatcher, request: typeof import('undici').request, stallMs: number) {
    this.#dispatcher = dispatcher;
    this.#request = request;
    this.#stallMs = stallMs;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_DOWNLOAD_FAILED` for a proxy variable that is not a URL */
  static open({ connectMs, stallMs }: HttpTiming): HttpClient {
    // Loaded only here: most programs that import the package never download.
    const { EnvHttpProxyAgent, Pool, request } = require('undici') as typeof import('undici');
    const connect = { timeout: connectMs };
    const waiting = { headersTimeout: stallMs, bodyTimeout: stallMs };
    try {
      const dispatcher = new EnvHttpProxyAgent({
        connect,
        proxyTls: connect,
        // Plain http goes to the proxy as an ordinary request: many proxies reject a CONNECT to port 80.
        proxyTunnel: false,
        // Otherwise the connection to the proxy itself would wait for minutes.
        clientFactory: (origin, options) => new Pool(origin, { ...options, ...waiting }),
      });
      return new HttpClient(dispatcher, request, stallMs);
    } catch {
      // No cause: it quotes the variable, which may contain a password.
      throw new GhostNetError('GHOSTNET_DOWNLOAD_FAILED', 'The proxy variables contain no valid proxy', {
        expected: 'URLs in HTTP_PROXY and HTTPS_PROXY, for example http://proxy.example:3128',
        remedy: 'Correct or unset them.',
      });
    }
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /**
   * Sends a GET request and follows redirects.
   *
   * @throws {@link Interrupted}, also when the signal fires, and {@link GhostNetError} `GHOSTNET_DOWNLOAD_FAILED`
   */
  async get(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<HttpResponse> {
    let target = url;
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      const response = await this.getOnce(target, headers, signal);
      if (![301, 302, 303, 307, 308].includes(response.status)) return response;
      response.drop();
      target = redirectTarget(target, response.header('location'));
    }
    throw new GhostNetError('GHOSTNET_DOWNLOAD_FAILED', `${shown(url)} has too many redirects`, {
      expected: `at most ${mostRedirects} redirects`,
    });
  }

  /** As {@link HttpClient.get}, but a redirect is a response like any other. */
  async getOnce(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal?: AbortSignal,
  ): Promise<HttpResponse> {
    let response: Dispatcher.ResponseData;
    try {
      response = await this.#request(url, {
        dispatcher: this.#dispatcher,
        // The bytes, length and ranges of a compressed body are not those of the file.
        headers: { 'user-agent': 'ghostnet', 'accept-encoding': 'identity', ...credentials(url), ...headers },
        headersTimeout: this.#stallMs,
        bodyTimeout: this.#stallMs,
        ...(signal === undefined ? {} : { signal }),
      });
    } catch (error) {
      throw failure(url, error);
    }
    const { body } = response;
    return {
      status: response.statusCode,
      header(name) {
        const value = response.headers[name];
        return Array.isArray(value) ? value[0] : value;
      },
      async *chunks() {
        // Not for await: only errors of the connection are translated, not those of the reader.
        const iterator = (body as AsyncIterable<Uint8Array, undefined>)[Symbol.asyncIterator]();
        try {
          for (;;) {
            const next = await iterator.next().catch((error: unknown) => {
              throw failure(url, error);
            });
            if (next.done === true) return;
            yield next.value;
          }
        } finally {
          await iterator.return?.();
        }
      },
      drop() {
        body.dump({ limit: 1 << 14 }).catch(() => undefined);
      },
    };
  }
}

/**
 * The target of a redirect.
 *
 * @throws {@link GhostNetError} `GHOSTNET_DOWNLOAD_FAILED` if it is missing, has another scheme, or leads from https to http
 */
export function redirectTarget(from: URL, location: string | undefined): URL {
  const target =
    location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target === undefined || !['http:', 'https:'].includes(target.protocol)) {
    throw new GhostNetError(
      'GHOSTNET_DOWNLOAD_FAILED',
      `${shown(from)} redirects to an address that is not http(s)`,
      {
        found: location === undefined ? 'no Location header' : JSON.stringify(location.slice(0, 100)),
      },
    );
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw new GhostNetError('GHOSTNET_DOWNLOAD_FAILED', `${shown(from)} redirects from https to http`, {
      found: shown(target),
      remedy: 'Set GHOSTNET_MIRROR to a server that stays on https.',
    });
  }
  return target;
}

/** An address as shown in messages: without a password, and without a query, which may be a signature. */
export function shown(url: URL): string {
  return url.origin + url.pathname;
}

function credentials(url: URL): Record<string, string> {
  if (url.username === '') return {};
  const pair = `${unescape(url.username)}:${unescape(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** The error to throw for an error of a connection. */
function failure(url: URL, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  // If several addresses were tried, the message of the AggregateError is empty.
  const what = `${shown(url)}: ${message === '' ? (code ?? 'no connection') : message}`;
  if (code === undefined || !lasting.has(code)) return new Interrupted(what, { cause: error });
  return new GhostNetError('GHOSTNET_DOWNLOAD_FAILED', what, { cause: error });
}
