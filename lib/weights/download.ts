import { setTimeout as sleep } from 'node:timers/promises';

import { GhostNetError } from '../errors.js';
import { Interrupted, shown, type HttpClient, type HttpResponse } from './http.js';
import { strongEtag, type PartialFile } from './partial.js';

/** A file to download, with the properties that identify it. */
export interface DownloadSource {
  readonly url: URL;
  readonly bytes?: number | undefined;
  /** In lower-case hexadecimal. */
  readonly sha256?: string | undefined;
}

/** The progress of a download. */
export interface DownloadProgress {
  /** Bytes received so far, including those of earlier attempts. */
  readonly receivedBytes: number;
  /** Size of the whole file, if it is known. */
  readonly totalBytes: number | undefined;
}

export interface DownloadOptions {
  /** The number of requests before giving up. */
  readonly attempts: number;
  /** Pause before the second attempt, in milliseconds; it doubles with every further attempt. */
  readonly retryMs: number;
  /** How long less than a kilobyte a second may arrive, in milliseconds. */
  readonly stallMs: number;
  readonly onProgress?: ((progress: DownloadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

const longestPauseMs = 60_000;
/** The limit of a file whose length neither the registry nor the server states. */
const mostBytes = 2 ** 31;

/**
 * Downloads the missing part of a file and verifies the whole file.
 *
 * @returns its SHA-256, in lower-case hexadecimal
 * @throws {@link GhostNetError} `GHOSTNET_DOWNLOAD_FAILED`, `GHOSTNET_DOWNLOAD_MISMATCH`, `GHOSTNET_CACHE_UNWRITABLE`;
 * the error that onProgress threw; any error once the signal has fired
 */
export async function download(
  client: HttpClient,
  source: DownloadSource,
  partial: PartialFile,
  options: DownloadOptions,
): Promise<string> {
  const { signal } = options;
  for (let attempt = 1; ; attempt++) {
    try {
      await receive(client, source, partial, options);
      return await verify(source, partial, signal);
    } catch (error) {
      if (!(error instanceof Interrupted)) throw error;
      if (attempt >= options.attempts) {
        throw new GhostNetError(error.code, `${shown(source.url)} could not be downloaded`, {
          found: `${error.message}, after ${attempt} attempts and with ${partial.size} bytes received`,
          cause: error,
        });
      }
      const pause = options.retryMs * 2 ** (attempt - 1) * (0.75 + Math.random() / 2);
      const asked = Math.max(pause, error.retryAfterMs ?? 0);
      await sleep(Math.min(asked, longestPauseMs), undefined, signal === undefined ? {} : { signal });
    }
  }
}

/** Appends the missing bytes, as far as one response contains them. */
async function receive(
  client: HttpClient,
  source: DownloadSource,
  partial: PartialFile,
  { onProgress, signal, stallMs }: DownloadOptions,
): Promise<void> {
  // Without a checksum for the whole file, a download may only be resumed if the server identifies the version.
  if (source.sha256 === undefined && partial.etag === undefined) await partial.restart();
  if (partial.size > (source.bytes ?? mostBytes)) await partial.restart();
  if (partial.size > 0 && partial.size === source.bytes) return;

  const response = await client.get(source.url, rangeAfter(partial), signal);
  let total: number | undefined;
  try {
    total = await begin(response, source, partial);
  } catch (error) {
    response.drop();
    throw error;
  }
  const limit = source.bytes ?? Math.min(total ?? mostBytes, mostBytes);
  const report = (): void => onProgress?.({ receivedBytes: partial.size, totalBytes: source.bytes ?? total });
  report();
  const progress = new Progress(stallMs);
  for await (const chunk of response.chunks()) {
    if (partial.size + chunk.length > limit) {
      await partial.restart();
      throw mismatch(source, `more than ${limit} bytes`, `${limit} bytes`);
    }
    await partial.append(chunk);
    report();
    if (!progress.isEnough(chunk.length)) {
      throw new Interrupted(`${shown(source.url)}: less than ${leastBytesPerSecond} bytes a second arrive`);
    }
  }
  const expected = source.bytes ?? total;
  if (expected !== undefined && partial.size < expected) {
    throw new Interrupted(`${shown(source.url)}: ended at byte ${partial.size} of ${expected}`);
  }
}

/** Slower than any network that could bring the file; a server that sends a byte now and then never stalls. */
const leastBytesPerSecond = 1024;

/** Watches the rate of a download over periods of `stallMs`. */
class Progress {
  readonly #stallMs: number;
  #since = performance.now();
  #bytes = 0;

  constructor(stallMs: number) {
    this.#stallMs = stallMs;
  }

  /** @param bytes - that have arrived since the last call */
  isEnough(bytes: number): boolean {
    this.#bytes += bytes;
    const now = performance.now();
    const milliseconds = now - this.#since;
    if (milliseconds < this.#stallMs) return true;
    const isEnough = this.#bytes >= (leastBytesPerSecond * milliseconds) / 1000;
    this.#since = now;
    this.#bytes = 0;
    return isEnough;
  }
}

function rangeAfter({ size, etag }: PartialFile): Record<string, string> {
  if (size === 0) return {};
  return { range: `bytes=${size}-`, ...(etag === undefined ? {} : { 'if-range': etag }) };
}

/**
 * Checks the head of a response and prepares the partial file for its body.
 *
 * @returns the size of the whole file, if the response states it
 */
async function begin(
  response: HttpResponse,
  source: DownloadSource,
  partial: PartialFile,
): Promise<number | undefined> {
  const etag = strongEtag(response.header('etag'));
  let total: number | undefined;
  if (response.status === 206 && partial.size > 0) {
    const range = parseRange(response.header('content-range'));
    const sameVersion = partial.etag === undefined || etag === undefined || etag === partial.etag;
    if (range?.start !== partial.size || !sameVersion) {
      await partial.restart();
      throw new Interrupted(`${shown(source.url)}: sent another part than requested`);
    }
    total = range.total;
  } else if (response.status === 200) {
    if (partial.size > 0) await partial.restart();
    total = parseLength(response.header('content-length'));
  } else {
    if (response.status === 416) await partial.restart();
    throw refusal(response, source);
  }

  const type = response.header('content-type') ?? '';
  if (/^\s*(text\/html|application\/xhtml)/i.test(type)) {
    throw mismatch(source, 'a web page, perhaps a sign-in or an error', 'a weights file');
  }
  const encoding = response.header('content-encoding') ?? 'identity';
  if (encoding !== 'identity')
    throw mismatch(source, `a body encoded as ${JSON.stringify(encoding)}`, 'a plain body');
  if (total !== undefined && total !== (source.bytes ?? total)) {
    throw mismatch(source, `${total} bytes`, `${source.bytes ?? total} bytes`);
  }
  const endsVisibly = total !== undefined || response.header('transfer-encoding') === 'chunked';
  if (!endsVisibly && source.sha256 === undefined && source.bytes === undefined) {
    throw new GhostNetError(
      'GHOSTNET_DOWNLOAD_FAILED',
      `${shown(source.url)} does not state the length of the file`,
    );
  }
  await partial.beginResponse(etag);
  return total;
}

async function verify(
  source: DownloadSource,
  partial: PartialFile,
  signal: AbortSignal | undefined,
): Promise<string> {
  const sha256 = await partial.sha256(signal);
  if (source.sha256 === undefined || sha256 === source.sha256) return sha256;
  const pieced = partial.isPieced;
  await partial.restart();
  const error = mismatch(source, `SHA-256 ${sha256}`, `SHA-256 ${source.sha256}`);
  if (!pieced) throw error;
  // The parts may come from two versions; a download in one piece settles it.
  throw new Interrupted(error.message, { code: 'GHOSTNET_DOWNLOAD_MISMATCH' });
}

function mismatch(source: DownloadSource, found: string, expected: string): GhostNetError {
  return new GhostNetError('GHOSTNET_DOWNLOAD_MISMATCH', `${shown(source.url)} is not the registered file`, {
    found,
    expected,
  });
}

/** The error for a status without a file. */
function refusal(response: HttpResponse, source: DownloadSource): Error {
  const { status } = response;
  const what = `${shown(source.url)} answered with status ${status}`;
  if (status >= 500 || [408, 416, 425, 429].includes(status)) {
    return new Interrupted(what, { retryAfterMs: parseRetryAfter(response.header('retry-after')) });
  }
  const remedies: Record<number, string> = {
    401: 'The server requires a sign-in: check GHOSTNET_MIRROR and the proxy variables.',
    403: 'The server, or a proxy in front of it, denies access: check GHOSTNET_MIRROR and the proxy variables.',
    404: 'The file is missing on the server: check GHOSTNET_MIRROR, or update the package.',
    407: 'The proxy requires a sign-in: add user and password to HTTPS_PROXY.',
  };
  return new GhostNetError('GHOSTNET_DOWNLOAD_FAILED', what, { remedy: remedies[status] });
}

function parseLength(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined;
}

function parseRange(text: string | undefined): { start: number; total: number | undefined } | undefined {
  const match = /^bytes (\d{1,15})-\d{1,15}\/(\d{1,15}|\*)$/.exec(text ?? '');
  return match === null ? undefined : { start: Number(match[1]), total: parseLength(match[2]) };
}

/** Converts seconds or a date to milliseconds from now. */
function parseRetryAfter(text: string | undefined): number | undefined {
  const seconds = parseLength(text);
  if (seconds !== undefined) return seconds * 1000;
  const date = Date.parse(text ?? '');
  return Number.isNaN(date) ? undefined : Math.max(0, date - Date.now());
}
