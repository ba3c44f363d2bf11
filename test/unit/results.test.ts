import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  truncateSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { fingerprintOf } from '../../lib/fingerprint.js';
import { GhostNet } from '../../lib/model/ghostnet.js';
import { RowMaker } from '../../lib/queue/row-maker.js';
import { Store } from '../../lib/queue/store.js';
import { GhostNetError } from '../../lib/errors.js';
import { GroupedWrites } from '../../lib/results/group.js';
import { JsonLinesFile } from '../../lib/results/json-lines.js';
import { KeySet } from '../../lib/results/key-set.js';
import type { ResultRow } from '../../lib/results/row.js';
import { codeOf } from '../support/errors.js';

const keyOf = (number: number): string => createHash('sha256').update(String(number)).digest('hex');
const rowOf = (number: number): ResultRow => ({
  key: keyOf(number),
  image: `${number}.jpg`,
  content: keyOf(-number),
  model: keyOf(0),
  classes: [{ label: 'cat', index: 3, score: 0.5 }],
});

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-results-'));
  path = join(folder, 'rows.jsonl');
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

const numbersIn = (file: string): number[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => Number.parseInt((JSON.parse(line) as ResultRow).image));

describe('a file of results', () => {
  it('has each key once', async () => {
    const file = await JsonLinesFile.open(path);
    const areNew = await Promise.all([1, 2, 1, 3].map((number) => file.write(rowOf(number))));
    expect(areNew).toEqual([true, true, false, true]);
    expect(await file.write(rowOf(2))).toBe(false);
    expect([file.has(keyOf(3)), file.has(keyOf(4))]).toEqual([true, false]);
    await file.close();
    expect(numbersIn(path)).toEqual([1, 2, 3]);
    expect(JSON.parse(readFileSync(path, 'utf8').split('\n')[0] ?? '')).toEqual(rowOf(1));
    expect(existsSync(`${path}.lock`)).toBe(false);
  });

  it('goes on where a process ended, and cuts off half a line', async () => {
    const first = await JsonLinesFile.open(path);
    await Promise.all([1, 2, 3].map((number) => first.write(rowOf(number))));
    const { length } = readFileSync(path);
    for (const cut of [1, 2, 50, 200]) {
      truncateSync(path, length - cut);
      const next = await JsonLinesFile.open(path);
      expect([next.has(keyOf(2)), next.has(keyOf(3))]).toEqual([true, false]);
      expect(await next.write(rowOf(2))).toBe(false);
      expect(await next.write(rowOf(3))).toBe(true);
      expect(numbersIn(path)).toEqual([1, 2, 3]);
    }
  });

  it('is shared by writers that do not know of each other', async () => {
    const writers = await Promise.all([0, 1, 2].map(() => JsonLinesFile.open(path)));
    const written = await Promise.all(
      Array.from({ length: 30 }, (_, number) => writers.map((writer) => writer.write(rowOf(number)))).flat(),
    );
    expect(written.filter(Boolean)).toHaveLength(30);
    expect(numbersIn(path).sort((one, other) => one - other)).toEqual(
      Array.from({ length: 30 }, (_, number) => number),
    );
  });

  it('is shared by processes, one of which is killed while it holds the lock', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [
      '-e',
      // The lock of a process that has gone.
      `require('fs').writeFileSync(${JSON.stringify(`${path}.lock`)}, JSON.stringify({ pid: process.pid, host: require('os').hostname(), started: '', token: '' }))`,
    ]);
    expect(stdout).toBe('');
    const begin = performance.now();
    const file = await JsonLinesFile.open(path);
    expect(await file.write(rowOf(1))).toBe(true);
    expect(performance.now() - begin).toBeLessThan(5_000);
  });

  it('is read again if somebody replaced it', async () => {
    const file = await JsonLinesFile.open(path);
    await file.write(rowOf(1));
    unlinkSync(path);
    expect(await file.write(rowOf(1))).toBe(true);
    writeFileSync(path, '');
    expect(await file.write(rowOf(1))).toBe(true);
    expect(numbersIn(path)).toEqual([1]);
  });

  it('is refused if it holds something else, and is not changed', async () => {
    for (const text of ['name,score\n', '{"a":1}\n', '[]\n{"key":"a"}\n']) {
      writeFileSync(path, text);
      expect(await codeOf(() => JsonLinesFile.open(path))).toBe('GHOSTNET_MALFORMED_FILE');
      expect(readFileSync(path, 'utf8')).toBe(text);
    }
  });

  it('takes rows that other programs wrote', async () => {
    writeFileSync(path, `{ "image": "x", "key": "${keyOf(1)}" }\r\n`);
    const file = await JsonLinesFile.open(path);
    expect(await file.write(rowOf(1))).toBe(false);
    appendFileSync(path, `{"key":"${keyOf(2)}"}\n`);
    expect(await file.write(rowOf(2))).toBe(false);
  });

  it('has a code if it cannot be written', async () => {
    mkdirSync(path);
    expect(await codeOf(() => JsonLinesFile.open(path))).toBe('GHOSTNET_FILE_UNWRITABLE');
    const nowhere = join(folder, 'no', 'rows.jsonl');
    expect(await codeOf(() => JsonLinesFile.open(nowhere))).toBe('GHOSTNET_FILE_UNWRITABLE');
  });
});

describe('rows in groups', () => {
  it('share a write if they come while one goes on', async () => {
    const sizes: number[] = [];
    const writes = new GroupedWrites(async (rows) => {
      sizes.push(rows.length);
      await new Promise((resolve) => setTimeout(resolve, 5));
      return rows.map(() => true);
    });
    const first = writes.add(rowOf(0));
    await new Promise((resolve) => setImmediate(resolve));
    const others = Array.from({ length: 600 }, (_, number) => writes.add(rowOf(number)));
    expect(await Promise.all([first, ...others])).toHaveLength(601);
    await writes.end();
    expect(sizes).toEqual([1, 512, 88]);
  });

  it('fail together, and the next ones do not', async () => {
    let isBroken = true;
    const writes = new GroupedWrites((rows) => {
      if (isBroken) return Promise.reject(new Error('broken'));
      return Promise.resolve(rows.map(() => true));
    });
    const [one, other] = await Promise.allSettled([writes.add(rowOf(1)), writes.add(rowOf(2))]);
    expect([one.status, other.status]).toEqual(['rejected', 'rejected']);
    isBroken = false;
    expect(await writes.add(rowOf(1))).toBe(true);
  });
});

describe('a place for results that cannot be reached', () => {
  it('is tried until it can, and told of once', async () => {
    const told: string[] = [];
    let failures = 3;
    const sink = {
      name: 'a sink',
      write: () => {
        if (failures-- > 0) return Promise.reject(new GhostNetError('GHOSTNET_SERVICE_FAILED', 'Away'));
        return Promise.resolve(true);
      },
      close: () => Promise.resolve(),
    };
    const store = new Store(sink, { onDown: ({ what }) => told.push(what), onUp: () => told.push('back') });
    expect(await store.write(rowOf(1), new AbortController().signal)).toBe(true);
    expect(told).toEqual(['Away', 'back']);
    failures = 1e9;
    const stop = new AbortController();
    const writing = store.write(rowOf(2), stop.signal);
    stop.abort();
    await expect(writing).rejects.toHaveProperty('name', 'AbortError');
  });
});

describe('a set of keys', () => {
  it('knows what was added', () => {
    const keys = new KeySet();
    const count = 50_000;
    for (let number = 0; number < count; number++) expect(keys.add(keyOf(number))).toBe(true);
    expect(keys.size).toBe(count);
    for (let number = 0; number < count; number += 7) {
      expect(keys.has(keyOf(number))).toBe(true);
      expect(keys.add(keyOf(number))).toBe(false);
      expect(keys.has(keyOf(count + number))).toBe(false);
    }
    keys.clear();
    expect([keys.size, keys.has(keyOf(1))]).toEqual([0, false]);
  });
});

describe('the key of a result', () => {
  it('is the same for the same model, however it was loaded, and another for every change of it', async () => {
    const model = await GhostNet.load();
    const saved = join(folder, 'saved.safetensors');
    await model.save(saved);
    const again = await GhostNet.load(saved, { threads: 1 });
    const transformed = await GhostNet.load(saved, { crop: 0.5 });
    const other = await GhostNet.create({ width: 0.5, numClasses: model.info.numClasses });
    const prints = await Promise.all([model, again, transformed, other].map(fingerprintOf));
    expect(prints[0]).toMatch(/^[0-9a-f]{64}$/);
    expect(prints[1]).toBe(prints[0]);
    expect(new Set(prints).size).toBe(3);
    const bytes = readFileSync(fileURLToPath(import.meta.url));
    const keyWith = async (options: object, one = model): Promise<string> =>
      (await RowMaker.of(one, options)).keysOf(bytes).key;
    const keys = await Promise.all([
      keyWith({}),
      keyWith({ topK: 1 }),
      keyWith({ output: 'embed' }),
      keyWith({ decode: 'fast' }),
      keyWith({}, transformed),
    ]);
    expect(new Set(keys).size).toBe(5);
    // What changes no result is no part of it.
    expect(await keyWith({ topK: 5, maxBatch: 4, maxQueue: 9 }, again)).toBe(keys[0]);
    expect(await keyWith({ output: 'embed', topK: 3 })).toBe(keys[2]);
    for (const one of [model, again, transformed, other]) one.dispose();
  });

  it('stores an embedding in as few digits as hold a float32', async () => {
    const model = await GhostNet.load();
    const rows = await RowMaker.of(model, { output: 'embed' });
    const values = Float32Array.from([0.1, 1 / 3, 1e-20, 0, 12345.678]);
    const row = rows.rowOf(rows.keysOf(Buffer.from('a')), 'a.jpg', values);
    expect(Float32Array.from(row.embedding ?? [])).toEqual(values);
    expect(JSON.stringify(row.embedding).length).toBeLessThan(60);
    model.dispose();
  });
});
