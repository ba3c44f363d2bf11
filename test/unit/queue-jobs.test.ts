import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { GhostNetError, type ErrorCode } from '../../lib/errors.js';
import { contentKey, imageIn, imageInData, jobIdOf, parseJob } from '../../lib/queue/job.js';
import { Quarantine } from '../../lib/queue/quarantine.js';
import { QueueRate } from '../../lib/cli/queue-rate.js';
import { checkRedisUrl, redisFailed, shownServer } from '../../lib/queue/redis.js';
import { asGhostNetError, parseReason, pauseAfter, reasonOf, verdictOn } from '../../lib/queue/verdict.js';
import { codeOf } from '../support/errors.js';

const content = 'a'.repeat(64);

describe('the data of a job', () => {
  it.each([
    { path: 'photos/a.jpg' },
    { path: '/photos/ä b.jpg' },
    { url: 'https://bucket.example/a.jpg?signature=1' },
    { content },
    { content, name: 'a.jpg' },
  ])('may be %j', (data) => {
    expect(parseJob(data)).toEqual(data);
  });

  it('may have more fields, which are left out', () => {
    expect(parseJob({ path: 'a.jpg', user: 7 })).toEqual({ path: 'a.jpg' });
  });

  it.each([
    null,
    'a.jpg',
    7,
    [],
    {},
    { path: '' },
    { path: 7 },
    { path: 'a\0b' },
    { path: '\ud800' },
    { path: 'x'.repeat(4_097) },
    { path: 'ä'.repeat(2_049) },
    { path: 'a', url: 'https://b.example/' },
    { url: 'no address' },
    { url: `https://b.example/${'x'.repeat(8_192)}` },
    { content: 'A'.repeat(64) },
    { content: `${content}\n` },
    { content, name: '' },
    { content, name: {} },
  ])('are malformed: %j', async (data) => {
    expect(await codeOf(() => parseJob(data))).toBe('GHOSTNET_MALFORMED_JOB');
  });

  it('have a code for whatever they are', async () => {
    await fc.assert(
      fc.asyncProperty(fc.anything(), async (data) => {
        expect(await codeOf(() => parseJob(data))).toBe('GHOSTNET_MALFORMED_JOB');
        expect(imageInData(data)).toBe('(malformed job)');
      }),
    );
  });

  it('show neither a signature nor a password', () => {
    const job = parseJob({ url: 'https://user:secret@bucket.example/a.jpg?signature=secret#secret' });
    expect(imageIn(job)).toBe('https://bucket.example/a.jpg');
    expect(() => parseJob({ url: 'https://[secret' })).toThrow(/^(?!.*secret)/s);
  });

  it('have the same id for the same reference, and another for another', () => {
    const ids = [{ path: 'a' }, { path: 'b' }, { url: 'https://a/' }, { content }].map(jobIdOf);
    expect(new Set(ids).size).toBe(4);
    expect(jobIdOf({ path: 'a' })).toBe(ids[0]);
    // Content is the same under every name.
    expect(jobIdOf({ content, name: 'a.jpg' })).toBe(jobIdOf({ content, name: 'b.jpg' }));
    // BullMQ takes no numbers, and no colons.
    for (const id of ids) expect(id).toMatch(/^(path|url|content)-[0-9a-f]{40}$/);
    expect(contentKey('images', content)).toBe(`ghostnet:images:content:${content}`);
  });
});

describe('what becomes of a job that failed', () => {
  const failure = (code: ErrorCode, cause?: unknown): GhostNetError =>
    new GhostNetError(code, 'It failed', { cause });

  it.each<[string, ErrorCode, unknown?]>([
    ['dead', 'GHOSTNET_IMAGE_UNDECODABLE'],
    ['dead', 'GHOSTNET_IMAGE_TOO_LARGE'],
    ['dead', 'GHOSTNET_FILE_TOO_LARGE'],
    ['dead', 'GHOSTNET_FILE_NOT_FOUND'],
    ['dead', 'GHOSTNET_FILE_UNREADABLE', { code: 'EACCES' }],
    ['dead', 'GHOSTNET_NOT_ALLOWED'],
    ['dead', 'GHOSTNET_MALFORMED_JOB'],
    ['dead', 'GHOSTNET_WORKER_CRASHED'],
    ['dead', 'GHOSTNET_RESULT_NOT_FINITE'],
    ['retry', 'GHOSTNET_FILE_UNREADABLE', { code: 'EIO' }],
    ['retry', 'GHOSTNET_DOWNLOAD_FAILED'],
    ['retry', 'GHOSTNET_TIMEOUT'],
    ['retry', 'GHOSTNET_OUT_OF_MEMORY'],
    ['retry', 'GHOSTNET_SERVICE_FAILED'],
    ['retry', 'GHOSTNET_INTERNAL'],
    ['handBack', 'GHOSTNET_CLOSED'],
    ['handBack', 'GHOSTNET_ABORTED'],
  ])('%s: %s', (verdict, code, cause) => {
    expect(verdictOn(failure(code, cause))).toBe(verdict);
  });

  it('is another attempt for what nobody foresaw', () => {
    expect(verdictOn(asGhostNetError(new TypeError('oops')))).toBe('retry');
    expect(asGhostNetError('oops').code).toBe('GHOSTNET_INTERNAL');
  });

  it('waits twice as long each time, up to a minute, and not the same for all', () => {
    expect([0, 1, 2, 3, 10, 1000].map((failures) => pauseAfter(failures, 1))).toEqual([
      1_000, 2_000, 4_000, 8_000, 60_000, 60_000,
    ]);
    expect(pauseAfter(1, 0)).toBe(1_000);
  });

  it('keeps the code with the message', () => {
    const error = failure('GHOSTNET_NOT_ALLOWED');
    expect(parseReason(reasonOf(error))).toEqual({ code: error.code, message: error.message });
    expect(parseReason('job stalled more than allowable limit').code).toBe('GHOSTNET_WORKER_CRASHED');
    expect(parseReason('of another program').code).toBe('GHOSTNET_INTERNAL');
  });
});

describe('the quarantine', () => {
  it('runs others side by side, and a suspect alone', async () => {
    const quarantine = new Quarantine();
    const log: string[] = [];
    const enter = async (name: string, isSuspect: boolean): Promise<() => void> => {
      const leave = await quarantine.enter(isSuspect);
      log.push(name);
      return leave;
    };
    const first = await enter('first', false);
    const second = await enter('second', false);
    const suspect = enter('suspect', true);
    const third = enter('third', false);
    const another = enter('another suspect', true);
    first();
    await Promise.resolve();
    expect(log).toEqual(['first', 'second']);
    second();
    const endSuspect = await suspect;
    expect(log).toEqual(['first', 'second', 'suspect']);
    endSuspect();
    (await another)();
    (await third)();
    expect(log).toEqual(['first', 'second', 'suspect', 'another suspect', 'third']);
    (await quarantine.enter(true))();
    (await quarantine.enter(false))();
  });

  it('never has a suspect beside anything else', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.boolean(), { maxLength: 60 }), async (suspects) => {
        const quarantine = new Quarantine();
        let running = 0;
        await Promise.all(
          suspects.map(async (isSuspect) => {
            const leave = await quarantine.enter(isSuspect);
            running += 1;
            if (isSuspect) expect(running).toBe(1);
            await new Promise((resolve) => setImmediate(resolve));
            if (isSuspect) expect(running).toBe(1);
            running -= 1;
            leave();
          }),
        );
        expect(running).toBe(0);
      }),
      { numRuns: 50 },
    );
  });
});

describe('the address of Redis', () => {
  it('is shown without user and password, also in errors', () => {
    const url = 'redis://user:secret@db.example:6380/2?secret';
    expect(shownServer(url)).toBe('redis://db.example:6380/2');
    expect(redisFailed(url, new Error('gone.')).message).toMatch(
      /^Redis at redis:\/\/db.example:6380\/2 fails. Found gone. /,
    );
  });

  it.each(['', 'localhost', 'http://:secret@host', undefined, 7])('is not %j', async (url) => {
    expect(
      await codeOf(() => {
        checkRedisUrl(url);
      }),
    ).toBe('GHOSTNET_INVALID_ARGUMENT');
    expect(() => {
      checkRedisUrl(url);
    }).toThrow(/^(?!.*secret)/s);
  });
});

describe('the rate of a queue', () => {
  const status = (done: number, waiting: number) => ({
    waiting,
    active: 0,
    delayed: 0,
    completed: done,
    failed: 0,
    done,
    isPaused: false,
  });

  it('is that of the last ten seconds, and says how long it takes', () => {
    const rate = new QueueRate();
    expect(rate.look(status(0, 1_000), 0)).toEqual({ perSecond: 0, secondsLeft: null });
    expect(rate.look(status(100, 900), 5_000)).toEqual({ perSecond: 20, secondsLeft: 45 });
    expect(rate.look(status(600, 400), 15_000)).toEqual({ perSecond: 50, secondsLeft: 8 });
    expect(rate.look(status(1_000, 0), 20_000).secondsLeft).toBe(0);
  });
});
