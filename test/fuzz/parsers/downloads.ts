import { createHash } from 'node:crypto';

import { download, type DownloadSource } from '../../../lib/weights/download.js';
import { redirectTarget, type HttpClient, type HttpResponse } from '../../../lib/weights/http.js';
import type { PartialFile } from '../../../lib/weights/partial.js';
import { blind, editText, mutate } from './mutations.js';
import type { Target } from './target.js';

/** What a server answers, as text: the status, headers, an empty line, the body. */
const answers = [
  '200\ncontent-length: 20\netag: "abc"\ncontent-type: application/octet-stream\n\n01234567890123456789',
  '206\ncontent-range: bytes 4-19/20\netag: "abc"\n\n4567890123456789',
  '200\ntransfer-encoding: chunked\n\n01234567890123456789',
  '200\ncontent-length: 20\ncontent-encoding: gzip\n\n0123',
  '200\ncontent-type: text/html; charset=utf-8\ncontent-length: 6\n\n<html>',
  '416\ncontent-range: bytes */20\n\n',
  '429\nretry-after: 1\n\n',
  '503\nretry-after: Fri, 31 Dec 1999 23:59:59 GMT\n\n',
  '404\n\nnot found',
].map((text) => Buffer.from(text));

const words = [
  ...['200', '206', '416', '429', '503', '0', '1', '19', '20', '999999999999999', '1e9', '-1', '*', 'bytes '],
  ...[
    'content-length: ',
    'content-range: ',
    'etag: ',
    'retry-after: ',
    'content-type: ',
    '"',
    'W/',
    '\n',
    '/',
  ],
];

function parseAnswer(text: string): HttpResponse {
  const end = text.indexOf('\n\n');
  const [status = '', ...lines] = text.slice(0, end === -1 ? text.length : end).split('\n');
  const headers = new Map(
    lines.map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, Math.max(colon, 0)).toLowerCase(), line.slice(colon + 2)];
    }),
  );
  const body = Buffer.from(end === -1 ? '' : text.slice(end + 2), 'latin1');
  return {
    status: Number.parseInt(status, 10) || 0,
    header: (name) => headers.get(name),
    async *chunks() {
      const step = Math.max(7, body.length >> 6);
      for (let at = 0; at < body.length; at += step)
        yield await Promise.resolve(body.subarray(at, at + step));
    },
    drop: () => undefined,
  };
}

/** The bytes of a download in memory: five million files would wear out a disk. */
class PartialBytes {
  size = 0;
  etag: string | undefined;
  isPieced = false;
  #hash = createHash('sha256');

  constructor(begun: Buffer) {
    void this.append(begun);
  }

  restart(): Promise<void> {
    this.size = 0;
    this.etag = undefined;
    this.isPieced = false;
    this.#hash = createHash('sha256');
    return Promise.resolve();
  }

  beginResponse(etag: string | undefined): Promise<void> {
    if (this.size > 0) this.isPieced = true;
    else this.etag = etag;
    return Promise.resolve();
  }

  append(chunk: Uint8Array): Promise<void> {
    this.#hash.update(chunk);
    this.size += chunk.length;
    return Promise.resolve();
  }

  sha256(): Promise<string> {
    return Promise.resolve(this.#hash.copy().digest('hex'));
  }
}

const whole = Buffer.from('01234567890123456789');
const sha256 = createHash('sha256').update(whole).digest('hex');
const url = new URL('https://example.com/weights.safetensors');
const sources: readonly DownloadSource[] = [
  { url, bytes: whole.length, sha256 },
  { url, sha256 },
  { url, bytes: whole.length },
  { url },
];

/** What a server says about a file: its status, lengths, ranges, tags and times. */
const answersOfServers: Target = {
  name: 'answers of servers',
  share: 2,
  codes: ['GHOSTNET_DOWNLOAD_FAILED', 'GHOSTNET_DOWNLOAD_MISMATCH'],
  make: (random) => {
    const edit = editText(words, /(\n|: |[ /-])/);
    return mutate(answers, [...blind, edit, edit, edit], random);
  },
  parse: async (input) => {
    const isBegun = input.length % 2 === 1;
    const partial = new PartialBytes(Buffer.from(isBegun ? '0123' : ''));
    if (isBegun) partial.etag = '"abc"';
    const source = sources[(input.length >> 1) % sources.length] ?? { url };
    const client = { get: () => Promise.resolve(parseAnswer(input.toString('latin1'))) };
    const found = await download(client as unknown as HttpClient, source, partial as unknown as PartialFile, {
      attempts: 1,
      retryMs: 0,
      stallMs: 60_000,
    });
    if (found !== (source.sha256 ?? found))
      throw new Error('It accepts another file than the registered one');
    if (partial.size !== (source.bytes ?? partial.size)) throw new Error('It accepts another length');
    return undefined;
  },
};

const locations = [
  'https://cdn.example.com/a/b?signature=1',
  '../other/file',
  '//example.org/x',
  'http://example.com/',
  'file:///etc/passwd',
  'https://user:secret@example.com/',
  '',
].map((text) => Buffer.from(text));

/** Where a server sends its clients. */
const redirects: Target = {
  name: 'redirects',
  share: 1,
  codes: ['GHOSTNET_DOWNLOAD_FAILED'],
  make: (random) => {
    const edit = editText([
      'http:',
      'https:',
      'file:',
      'data:',
      '//',
      '@',
      '..',
      '\0',
      '\x1b[2J',
      '[::1]',
      '%',
    ]);
    return mutate(locations, [...blind, edit, edit], random);
  },
  parse: (input) => {
    const target = redirectTarget(url, input.toString('latin1'));
    if (target.protocol !== 'https:') throw new Error(`It follows ${target.href}`);
    return undefined;
  },
};

export const downloads: readonly Target[] = [answersOfServers, redirects];
