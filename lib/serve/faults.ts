import { isError } from '../check/kinds.js';
import { quote } from '../check/words.js';
import { GhostNetError, type ErrorCode } from '../errors.js';

// The errors of requests, and the status of each code in HTTP.

/** A request that is not what the protocol says. */
export function badRequest(what: string, details: { found?: string; expected?: string } = {}): GhostNetError {
  return new GhostNetError('GHOSTNET_BAD_REQUEST', what, details);
}

/** A request for what is not there. */
export function noSuchPath(method: string, path: string, expected?: string): GhostNetError {
  return new GhostNetError('GHOSTNET_NOT_FOUND', 'The server has nothing at this address', {
    found: `${method} ${quote(path)}`,
    expected,
  });
}

/** A body that is larger than the server takes. */
export function bodyTooLarge(most: number, found?: string): GhostNetError {
  return new GhostNetError('GHOSTNET_REQUEST_TOO_LARGE', 'The body of the request is too large', {
    found,
    expected: `at most ${most} bytes, the option maxBodyBytes of the server`,
  });
}

/**
 * A model that no server has, or not in this version.
 *
 * @param all - the names that there are, or the versions of this name
 */
export function unknownModel(
  name: string,
  version: string | undefined,
  all: readonly string[],
): GhostNetError {
  const what =
    version === undefined ? 'The server has no such model' : 'The server has no such version of a model';
  return new GhostNetError('GHOSTNET_UNKNOWN_MODEL', what, {
    found: version === undefined ? quote(name) : `${quote(name)}, version ${quote(version)}`,
    expected: all.join(', '),
    remedy: 'Use one of these: `GET /v2/models/<name>` describes each.',
  });
}

/** A model that is still being loaded, or a server that is about to end. */
export function notReady(what: string): GhostNetError {
  return new GhostNetError('GHOSTNET_NOT_READY', what);
}

/** An address at which no server can listen. */
export function addressUnusable(host: string, port: number, cause: NodeJS.ErrnoException): GhostNetError {
  return new GhostNetError('GHOSTNET_ADDRESS_UNUSABLE', 'The server cannot listen at this address', {
    found: `${host} port ${port}: ${cause.code ?? cause.message}`,
    remedy: remediesOfAddress[cause.code ?? ''],
    cause,
  });
}

const ownAddress = 'Choose an address of this machine, as 127.0.0.1, or 0.0.0.0 for all of them.';
const remediesOfAddress: Readonly<Record<string, string>> = {
  EADDRINUSE: 'Another process listens there: choose another port.',
  EACCES: 'Choose a port of at least 1024, which needs no rights.',
  EADDRNOTAVAIL: ownAddress,
  ENOTFOUND: ownAddress,
};

const statuses: Partial<Record<ErrorCode, number>> = {
  GHOSTNET_BAD_REQUEST: 400,
  GHOSTNET_INVALID_ARGUMENT: 400,
  GHOSTNET_BAD_SHAPE: 400,
  GHOSTNET_BAD_DTYPE: 400,
  GHOSTNET_NO_CLASSIFIER: 400,
  GHOSTNET_UNAUTHORIZED: 401,
  GHOSTNET_NOT_FOUND: 404,
  GHOSTNET_UNKNOWN_MODEL: 404,
  GHOSTNET_METHOD_NOT_ALLOWED: 405,
  GHOSTNET_REQUEST_TOO_LARGE: 413,
  GHOSTNET_IMAGE_TOO_LARGE: 413,
  GHOSTNET_FILE_TOO_LARGE: 413,
  GHOSTNET_MEDIA_TYPE: 415,
  GHOSTNET_IMAGE_UNDECODABLE: 422,
  GHOSTNET_RESULT_NOT_FINITE: 422,
  GHOSTNET_QUEUE_FULL: 429,
  GHOSTNET_ABORTED: 499,
  GHOSTNET_NOT_READY: 503,
  GHOSTNET_CLOSED: 503,
  GHOSTNET_DISPOSED: 503,
  GHOSTNET_OUT_OF_MEMORY: 503,
  GHOSTNET_OUT_OF_THREADS: 503,
  GHOSTNET_TIMEOUT: 504,
  GHOSTNET_PEER_NOT_INSTALLED: 501,
};

/** The status of an error in HTTP. */
export function statusOf({ code }: GhostNetError): number {
  return statuses[code] ?? 500;
}

/** Statuses after which the same request may succeed. */
export function isTransient(status: number): boolean {
  return status === 429 || status === 503;
}

/** Whatever was thrown, as an error of the package. What nobody foresaw is not told to clients. */
export function errorOf(thrown: unknown, report: (error: unknown) => void): GhostNetError {
  if (thrown instanceof GhostNetError) {
    if (statusOf(thrown) === 500) report(thrown);
    return thrown;
  }
  report(thrown);
  return new GhostNetError('GHOSTNET_INTERNAL', 'The request failed unexpectedly', { cause: thrown });
}

/** What nobody foresaw is a warning of the process: servers log them. */
export function report(error: unknown): void {
  process.emitWarning(isError(error) ? error : new Error(String(error)));
}
