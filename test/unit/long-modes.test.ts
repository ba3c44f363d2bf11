import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import { leftOut as leftOutOfEmulation } from '../arm64/left-out.mjs';
import { Progress } from '../fuzz/progress.mjs';
import { leftOut as leftOutOfSanitizers } from '../sanitize/left-out.mjs';
import { judge } from '../soak/judge.mjs';
import { Ledger } from '../soak/ledger.mjs';

const limits = { blocks: 6, live: 1e6, resident: 16e6, speed: 0.05 };
const sample = {
  malloc: 120e6,
  heap: 8e6,
  external: 24e6,
  rss: 500e6,
  threads: ['node', 'node'],
  descriptors: ['pipe:[#]'],
  speed: { milliseconds: 3, relative: 0.02 },
  faults: [] as string[],
};

/** The names of the checks that fail when some samples are as given. */
function failed(change: (block: number) => Partial<typeof sample>): string[] {
  const samples = Array.from({ length: 6 }, (_, index) => ({ ...sample, ...change(index + 1) }));
  return judge(samples, limits).flatMap(({ name, problem }) => (problem === undefined ? [] : [name]));
}

describe('the judge of a soak', () => {
  it('passes a process that stays as it is, whatever its first block needs', () => {
    expect(failed((block) => (block === 1 ? { malloc: 90e6, heap: 5e6, rss: 400e6 } : {}))).toEqual([]);
  });

  it.each([
    ['malloc', 250_000],
    ['heap', 250_000],
    ['external', 250_000],
    ['rss', 4_000_000],
  ] as const)('fails a growth of %s of %i bytes a block', (name, bytes) => {
    const names = failed((block) => ({ [name]: sample[name] + block * bytes }));
    expect(names).toHaveLength(1);
  });

  it.each<[what: string, change: (block: number) => Partial<typeof sample>]>([
    ['a thread that stays', (block) => (block > 4 ? { threads: [...sample.threads, 'node'] } : {})],
    ['a descriptor that stays', (block) => (block > 4 ? { descriptors: ['pipe:[#]', '/a.jpg'] } : {})],
    ['a lost promise', () => ({ faults: ['run: a promise was lost'] })],
    [
      'a slower image',
      (block) => ({ speed: { milliseconds: 3 + 0.045 * block, relative: 0.02 + 0.0003 * block } }),
    ],
  ])('fails %s', (_, change) => {
    expect(failed(change)).toHaveLength(1);
  });

  it.each<[string, (block: number) => Partial<typeof sample>]>([
    ['a slower machine', (block) => ({ speed: { milliseconds: 3 + 0.3 * block, relative: 0.02 } })],
    ['a disturbed control', (block) => ({ speed: { milliseconds: 3, relative: 0.02 - 0.002 * block } })],
  ])('passes %s', (_, change) => {
    expect(failed(change)).toEqual([]);
  });

  it('fails a process that ended early', () => {
    expect(judge([sample, sample], limits).some(({ problem }) => problem !== undefined)).toBe(true);
  });
});

describe('the files that emulation and sanitizers leave out', () => {
  it.each([...leftOutOfEmulation, ...leftOutOfSanitizers].map(({ file }) => file))(
    'are there: %s',
    (file) => {
      expect(existsSync(file)).toBe(true);
    },
  );
});

describe('the ledger of a soak', () => {
  it('counts ends, and takes only the expected ones', async () => {
    const ledger = new Ledger();
    const failing = () => Promise.reject(Object.assign(new Error('no'), { code: 'GHOSTNET_TIMEOUT' }));
    await ledger.follow('run', Promise.resolve(1));
    await ledger.follow('run', failing(), ['GHOSTNET_TIMEOUT']);
    expect(ledger).toMatchObject({
      counts: { run: { succeeded: 1, GHOSTNET_TIMEOUT: 1 } },
      faults: [],
      open: [],
    });
    await ledger.follow('run', failing(), ['GHOSTNET_ABORTED']);
    await ledger.follow('run', Promise.resolve('cat'), [], (label) => {
      throw new Error(`It is no ${label}`);
    });
    expect(ledger.faults).toHaveLength(2);
    void ledger.follow('stream', new Promise(() => undefined));
    expect(ledger.open).toEqual(['stream']);
  });
});

describe('the progress of slices', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ghostnet-progress-'));
  afterAll(() => {
    rmSync(folder, { recursive: true });
  });

  it('is there for the next process, and belongs to a seed', () => {
    const file = join(folder, 'state', 'progress.json');
    const state = { seed: 1, done: 200, slices: 2, seconds: 3, met: { largest: 4 } };
    new Progress(file).keep('parsers', state);
    expect(new Progress(file).of('parsers', 1)).toEqual(state);
    expect(new Progress(file).of('parsers', 2)).toMatchObject({ done: 0, slices: 0 });
    expect(new Progress(file).of('jpeg', 1)).toMatchObject({ done: 0 });
  });
});
