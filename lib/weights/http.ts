import { unescape } from 'node:querystring';

import type { Dispatcher } from 'undici';

import { GhostNetError } from '../errors.js';

/** How long a server may keep a download waiting, in milliseconds. */
export interface HttpTiming {
  /** For a connection. */
  readonly connectMs: number;
  /** For the next byte, of the head of a response or of its body. */
  readonly stallMs: number;
}

/** A response whose body has not been read. */
export interface HttpResponse {
  readonly status: number;
  /** A header by its lower-case name. */
  header(name: string): string | undefined;
  /** Reads the body, once. @throws {@link Interrupted} when the connection breaks or stalls */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Drops the body. */
  drop(): void;
}

/** A failure that may pass: worth another attempt. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  /** How long the server asks to wait. */
  readonly retryAfterMs: number | undefined;
  /** The code to fail with when no attempt is left. */
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

/** Failures that another attempt does not mend: a name that does not exist, a certificate that is not trusted. */
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

/** Requests over http(s), through the proxy of `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` where they name one. */
export class HttpClient {
  readonly #dispatcher: Dispatcher;
  readonly #request: typeof import('undici').request;
  readonly #stallMs: number;

  private constructor(dispatcher: Dispatcher, request: typeof import('undici').request, stallMs: number) {
    this.#dispatcher = dispatcher;
    this.#request = request;
    this.#stallMs = stallMs;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_DOWNLOAD_FAILED` for a proxy variable that is no URL */
  static async open({ connectMs, stallMs }: HttpTiming): Promise<HttpClient> {
    // Only now: most programs that import the package never download.
    const { EnvHttpProxyAgent, Pool, request } = await import('undici');
    const connect = { timeout: connectMs };
    const waiting = { headersTimeout: stallMs, bodyTimeout: stallMs };
    try {
      const dispatcher = new EnvHttpProxyAgent({
        connect,
        proxyTls: connect,
        // Plain http is asked of a proxy in one request; a CONNECT to port 80 many proxies refuse.
        proxyTunnel: false,
        // The connection to the proxy itself would wait for minutes otherwise.
        clientFactory: (origin, options) => new Pool(origin, { ...options, ...waiting }),
      });
      return new HttpClient(dispatcher, request, stallMs);
    } catch {
      // Without the cause: it quotes the variable, and that may hold a password.
      throw new GhostNetError('GHOSTNET_DOWNLOAD_FAILED', 'The proxy variables name no proxy', {
        expected: 'URLs in HTTP_PROXY and HTTPS_PROXY, http://proxy.example:3128 for example',
        remedy: 'Correct or unset them.',
      });
    }
  }

  /** Closes all connections. */
  async close(): Promise<void> {
    await this.#dispatcher.destroy();
  }

  /**
   * The response to a GET, after redirects.
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
      const response = await this.#getOnce(target, headers, signal);
      if (![301, 302, 303, 307, 308].includes(response.status)) return response;
      response.drop();
      target = redirectTarget(target, response.header('location'));
    }
    throw new GhostNetError('GHOSTNET_DOWNLOAD_FAILED', `${shown(url)} redirects without end`, {
      expected: `at most ${mostRedirects} redirects`,
    });
  }

  async #getOnce(
    url: URL,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal | undefined,
  ): Promise<HttpResponse> {
    let response: Dispatcher.ResponseData;
    try {
      response = await this.#request(url, {
        dispatcher: this.#dispatcher,
        // A compressed body has other bytes, another length and other ranges than the file.
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
        // By hand: only errors of the connection are to be translated, not those of the one who reads.
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
 * Where a redirect leads.
 *
 * @throws {@link GhostNetError} `GHOSTNET_DOWNLOAD_FAILED` when it leads nowhere, to another scheme, or from https to http
 */
export function redirectTarget(from: URL, location: string | undefined): URL {
  const target =
    location !== undefined && URL.canParse(location, from.href) ? new URL(location, from) : undefined;
  if (target === undefined || !['http:', 'https:'].includes(target.protocol)) {
    throw new GhostNetError('GHOSTNET_DOWNLOAD_FAILED', `${shown(from)} redirects to no http(s) address`, {
      found: location === undefined ? 'no Location header' : JSON.stringify(location.slice(0, 100)),
    });
  }
  if (from.protocol === 'https:' && target.protocol === 'http:') {
    throw new GhostNetError('GHOSTNET_DOWNLOAD_FAILED', `${shown(from)} redirects from https to http`, {
      found: shown(target),
      remedy: 'Set GHOSTNET_MIRROR to a server that keeps to https.',
    });
  }
  return target;
}

/** An address fit for a message: without a password, and without a query, which may be a signature. */
export function shown(url: URL): string {
  return url.origin + url.pathname;
}

function credentials(url: URL): Record<string, string> {
  if (url.username === '') return {};
  const pair = `${unescape(url.username)}:${unescape(url.password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** What to throw for an error of a connection. */
function failure(url: URL, error: unknown): Error {
  const { code, message } = error as NodeJS.ErrnoException;
  // Where several addresses were tried, the message of the sum is empty.
  const what = `${shown(url)}: ${message === '' ? (code ?? 'no connection') : message}`;
  if (code === undefined || !lasting.has(code)) return new Interrupted(what, { cause: error });
  return new GhostNetError('GHOSTNET_DOWNLOAD_FAILED', what, { cause: error });
}
