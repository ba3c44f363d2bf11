import { createHash } from 'node:crypto';

import { isObject } from '../check/json.js';
import { invalidArgument } from '../check/option.js';
import { inWords } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { shown } from '../weights/http.js';

/**
 * The data of a job: a reference to one image, in one of three ways. Any producer of BullMQ may write it, whatever its language.
 */
export type ImageJob =
  /** A file: an absolute path, or one from the root folder of the worker. At most 4,096 bytes. */
  | { readonly path: string }
  /** An address that begins with a prefix that the worker allows, at most 8,192 characters. */
  | { readonly url: string }
  /** The SHA-256 of content in Redis, in hexadecimal digits, and what the image is called. */
  | { readonly content: string; readonly name?: string };

const mostPathBytes = 4_096;
const mostUrlCharacters = 8_192;
/** Neither PostgreSQL nor a file system takes a zero byte, and JSON no half of a pair. */
const unfit = /[\0\p{Surrogate}]/u;

/** The data of a job, checked. @throws {@link GhostNetError} `GHOSTNET_MALFORMED_JOB` */
export function parseJob(data: unknown): ImageJob {
  const kinds = isObject(data) ? ['path', 'url', 'content'].filter((kind) => data[kind] !== undefined) : [];
  if (!isObject(data) || kinds.length !== 1)
    throw malformed(isObject(data) ? `an object with ${inList(kinds)}` : inWords(data));
  const { path, url, content, name } = data;
  if (path !== undefined) {
    if (isText(path) && Buffer.byteLength(path) <= mostPathBytes) return { path };
    throw malformed(`the path ${inWords(path)}`);
  }
  if (url !== undefined) {
    if (isText(url) && url.length <= mostUrlCharacters && isWebUrl(url)) return { url };
    // Not the text itself: a signature may be in it.
    throw malformed(`a url that is none, or of more than ${mostUrlCharacters} characters`);
  }
  if (typeof content !== 'string' || !/^[0-9a-f]{64}$/.test(content))
    throw malformed(`the content ${inWords(content)}`);
  if (name === undefined) return { content };
  if (isText(name) && Buffer.byteLength(name) <= mostPathBytes) return { content, name };
  throw malformed(`the name ${inWords(name)}`);
}

function isWebUrl(text: string): boolean {
  return URL.canParse(text) && ['http:', 'https:'].includes(new URL(text).protocol);
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !unfit.test(value);
}

function malformed(found: string): GhostNetError {
  return new GhostNetError('GHOSTNET_MALFORMED_JOB', 'The data of the job are no reference to an image', {
    found,
    expected: 'one of { path }, { url } and { content }',
  });
}

function inList(kinds: readonly string[]): string {
  return kinds.length === 0 ? 'none of them' : kinds.join(' and ');
}

/** The image of a job in words: without the query of an address, which may be a signature. */
export function imageIn(job: ImageJob): string {
  if ('path' in job) return job.path;
  if ('url' in job) return shown(new URL(job.url));
  return job.name ?? `content ${job.content}`;
}

/** The image of a job that may be anything, in words. */
export function imageInData(data: unknown): string {
  try {
    return imageIn(parseJob(data));
  } catch {
    return '(malformed job)';
  }
}

/** The id of a job: the same for the same reference, so that a queue has it once. Neither a number nor a text with a colon. */
export function jobIdOf(job: ImageJob): string {
  const [kind = '', value = ''] = Object.entries(job)[0] ?? [];
  const digest = createHash('sha256').update(`${kind}\0${value}`).digest('hex');
  return `${kind}-${digest.slice(0, 40)}`;
}

/** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
export function checkQueueName(name: unknown): asserts name is string {
  if (typeof name === 'string' && /^[^\s:{}\p{Cc}\p{Cf}]{1,200}$/u.test(name)) return;
  throw invalidArgument('The queue has no possible name', name, 'a text without spaces, colons and braces');
}

/** The key of content in Redis. */
export function contentKey(queue: string, content: string): string {
  return `ghostnet:${queue}:content:${content}`;
}
