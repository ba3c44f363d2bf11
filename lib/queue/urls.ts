import { invalidArgument } from '../check/option.js';
import { GhostNetError, type ErrorCode } from '../errors.js';
import { HttpClient, Interrupted, shown, type HttpResponse } from '../weights/http.js';

const mostRedirects = 5;
const connectMs = 10_000;
const stallMs = 15_000;

/** Fetches images from addresses with an allowed prefix, and from no others, whatever a server answers. */
export class UrlReader {
  readonly #prefixes: readonly URL[];
  readonly #timeoutMs: number;
  readonly #client: HttpClient;

  private constructor(prefixes: readonly URL[], timeoutMs: number, client: HttpClient) {
    this.#prefixes = prefixes;
    this.#timeoutMs = timeoutMs;
    this.#client = client;
  }

  /** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` for what is no prefix */
  static open(prefixes: readonly string[], timeoutMs: number): UrlReader {
    const checked = prefixes.map(prefixOf);
    return new UrlReader(checked, timeoutMs, HttpClient.open({ connectMs, stallMs }));
  }

  close(): Promise<void> {
    return this.#client.close();
  }

  /**
   * @throws {@link GhostNetError} `GHOSTNET_NOT_ALLOWED`, `GHOSTNET_FILE_NOT_FOUND`, `GHOSTNET_FILE_UNREADABLE`,
   * `GHOSTNET_FILE_TOO_LARGE`, and `GHOSTNET_DOWNLOAD_FAILED`, which is worth another attempt
   */
  async read(text: string, maxBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    const url = new URL(text);
    const end = AbortSignal.any([signal, AbortSignal.timeout(this.#timeoutMs)]);
    try {
      const response = await this.#get(url, end);
      checkStatus(url, response);
      return await bodyOf(url, response, maxBytes);
    } catch (cause) {
      signal.throwIfAborted();
      if (end.aborted) throw failed(url, `no whole answer within ${this.#timeoutMs} ms`, cause);
      if (cause instanceof Interrupted) throw failed(url, cause.message, cause);
      throw cause;
    }
  }

  async #get(url: URL, signal: AbortSignal): Promise<HttpResponse> {
    let target = url;
    for (let redirects = 0; redirects <= mostRedirects; redirects++) {
      if (!isAllowed(target, this.#prefixes)) throw notAllowed(target, url);
      const response = await this.#client.getOnce(target, {}, signal);
      if (![301, 302, 303, 307, 308].includes(response.status)) return response;
      response.drop();
      const location = response.header('location') ?? '';
      if (location === '' || !URL.canParse(location, target.href)) break;
      target = new URL(location, target);
    }
    throw new GhostNetError('GHOSTNET_FILE_UNREADABLE', `The server does not give ${shown(url)}`, {
      found: 'too many redirects, or one without an address',
    });
  }
}

/** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
export function prefixOf(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.username === '' && url.search === '' && url.hash === '';
  if (url !== undefined && isPlain && ['http:', 'https:'].includes(url.protocol)) return url;
  throw invalidArgument(
    'A prefix of addresses is not one',
    text,
    'https://host/ or https://host/folder/, without user and query',
  );
}

/** Whether an address is at or below one of the prefixes: scheme, host and port are those of the prefix, the path begins with its. */
export function isAllowed(url: URL, prefixes: readonly URL[]): boolean {
  if (url.username !== '' || url.password !== '' || goesUp(url.pathname)) return false;
  return prefixes.some(({ protocol, host, pathname }) => {
    const folder = pathname.endsWith('/') ? pathname : `${pathname}/`;
    const isBelow = url.pathname === pathname || url.pathname.startsWith(folder);
    return url.protocol === protocol && url.host === host && isBelow;
  });
}

/** A server may take `..%2f` for what the address no longer has. */
function goesUp(pathname: string): boolean {
  try {
    return decodeURIComponent(pathname)
      .split(/[/\\]/)
      .some((part) => part === '..');
  } catch {
    return true;
  }
}

function checkStatus(url: URL, response: HttpResponse): void {
  const { status } = response;
  if (status === 200) return;
  response.drop();
  if (status >= 500 || [408, 425, 429].includes(status)) throw failed(url, `status ${status}`);
  const code: ErrorCode = [404, 410].includes(status)
    ? 'GHOSTNET_FILE_NOT_FOUND'
    : 'GHOSTNET_FILE_UNREADABLE';
  throw new GhostNetError(code, `The server does not give ${shown(url)}`, {
    found: `status ${status}`,
    remedy: 'Check the address, and whether its signature has expired.',
  });
}

async function bodyOf(url: URL, response: HttpResponse, maxBytes: number): Promise<Uint8Array> {
  const announced = Number(response.header('content-length'));
  if (announced > maxBytes) {
    response.drop();
    throw tooLarge(url, announced, maxBytes);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.chunks()) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) throw tooLarge(url, bytes, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, bytes);
}

function tooLarge(url: URL, bytes: number, maxBytes: number): GhostNetError {
  return new GhostNetError('GHOSTNET_FILE_TOO_LARGE', `The image ${shown(url)} is too large`, {
    found: `${bytes} bytes or more`,
    expected: `at most ${maxBytes} bytes, the option maxImageBytes`,
  });
}

function notAllowed(target: URL, url: URL): GhostNetError {
  const isRedirect = target !== url;
  return new GhostNetError(
    'GHOSTNET_NOT_ALLOWED',
    isRedirect
      ? `${shown(url)} redirects to an address without an allowed prefix`
      : 'The job names an address without an allowed prefix',
    { found: shown(target) },
  );
}

function failed(url: URL, found: string, cause?: unknown): GhostNetError {
  return new GhostNetError('GHOSTNET_DOWNLOAD_FAILED', `The image ${shown(url)} cannot be downloaded`, {
    found,
    remedy: 'Check the server and the network; the job is tried again.',
    cause,
  });
}
