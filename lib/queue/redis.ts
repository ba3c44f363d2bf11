import type { Redis } from 'ioredis';

import { isError } from '../check/kinds.js';
import { messageOf } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { ioredis } from './peers.js';

/** The Redis of this machine. */
export const defaultRedis = 'redis://127.0.0.1:6379';

/** A connection that is silent for so long with a command on its way is given up and opened again. */
const silenceMs = 15_000;
const longestPauseMs = 2_000;

/** The address of a server in words: without user, password and query. */
export function shownServer(url: string): string {
  const { protocol, host, pathname } = new URL(url);
  return `${protocol}//${host}${pathname}`;
}

/** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
export function checkRedisUrl(url: unknown): asserts url is string {
  const { protocol = '', pathname = '' } = typeof url === 'string' && URL.canParse(url) ? new URL(url) : {};
  if (['redis:', 'rediss:'].includes(protocol) && /^(\/\d*)?$/.test(pathname)) return;
  // Without what was found: it may have a password.
  throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The address of Redis is not one', {
    expected: 'redis://host:6379, redis://:password@host:6379/0, or rediss:// for TLS',
  });
}

/** Time does not make a password right. */
function isRefusal(cause: unknown): boolean {
  return /^(WRONGPASS|NOAUTH|NOPERM|ERR invalid password|ERR AUTH|ERR DB index is out of range|ERR invalid DB index)/.test(
    messageOf(cause),
  );
}

/** Hears when Redis cannot be reached, once until it is back. */
export interface RedisListener {
  readonly onDown?: ((error: GhostNetError) => void) | undefined;
  readonly onUp?: (() => void) | undefined;
}

/**
 * A connection to Redis that lasts: when it breaks, commands wait until it is there again.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_PEER_NOT_INSTALLED`
 */
export function openRedis(url: string, { onDown, onUp }: RedisListener = {}): Redis {
  checkRedisUrl(url);
  const { Redis: Client } = ioredis();
  const client = new Client(url, {
    maxRetriesPerRequest: null,
    retryStrategy: (times: number) => Math.min(longestPauseMs, 50 * 2 ** Math.min(times, 10)),
    socketTimeout: silenceMs,
    keepAlive: 10_000,
    enableAutoPipelining: true,
  });
  let isDown = false;
  const fail = (cause: unknown): void => {
    // Who is refused at the start is told by greet().
    if (isDown || client.status === 'end' || isRefusal(cause)) return;
    isDown = true;
    onDown?.(redisFailed(url, cause));
  };
  client.on('error', fail);
  client.on('close', () => {
    fail(new Error('the connection was closed'));
  });
  client.on('ready', () => {
    if (isDown) onUp?.();
    isDown = false;
  });
  return client;
}

/**
 * Waits for Redis, and checks that it takes commands.
 *
 * @param patienceMs - how long it may take; undefined waits for ever
 * @throws {@link GhostNetError} `GHOSTNET_SERVICE_FAILED`
 */
export async function greet(client: Redis, url: string, patienceMs?: number): Promise<void> {
  let last: unknown = 'no answer';
  const refused = new Promise<never>((_, reject) => {
    const note = (cause: Error): void => {
      last = cause;
      if (isRefusal(cause)) reject(cause);
    };
    client.on('error', note);
    client.once('ready', () => client.off('error', note));
  });
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    if (patienceMs === undefined) return;
    timer = setTimeout(() => {
      reject(isError(last) ? last : new Error(messageOf(last)));
    }, patienceMs);
  });
  try {
    // A database that does not exist would be the first one, which has other queues.
    await Promise.race([client.select(client.options.db ?? 0), refused, late]);
  } catch (cause) {
    client.disconnect();
    throw redisFailed(url, cause);
  } finally {
    clearTimeout(timer);
  }
}

/** What people must know of a Redis that holds a queue. */
export async function evictionOf(client: Redis): Promise<string | undefined> {
  const info = await client.info('memory').catch(() => '');
  return /^maxmemory_policy:(\S+)/m.exec(info)?.[1];
}

export function redisFailed(url: string, cause: unknown): GhostNetError {
  const { code } = cause as NodeJS.ErrnoException;
  // If several addresses were tried, the message of the AggregateError is empty.
  const message = messageOf(cause).replace(/\.$/, '');
  return new GhostNetError('GHOSTNET_SERVICE_FAILED', `Redis at ${shownServer(url)} fails`, {
    found: message === '' ? (code ?? 'no connection') : message,
    cause,
  });
}
