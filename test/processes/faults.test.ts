import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { root, runScript, runScriptForJson } from '../support/child.js';
import { gradient, plain, toSharp } from '../support/pictures.js';

const library = fileURLToPath(new URL('build/Release/libghostnet_faults.so', root));

// Every so many allocations in a call: all of them take minutes. `GHOSTNET_FAULT_STRIDE=1 npx vitest run test/processes/faults.test.ts`.
const stride = process.env.GHOSTNET_FAULT_STRIDE ?? '7';

interface Figures {
  readonly figures: Record<string, { readonly allocations: number; readonly refused: number }>;
  readonly problems: readonly string[];
}

let folder: string;
const env: Record<string, string> = { LD_PRELOAD: library };

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-faults-'));
  const picture = toSharp(gradient(90, 60));
  env.GHOSTNET_JPEG = join(folder, 'a.jpg');
  env.GHOSTNET_PROGRESSIVE = join(folder, 'b.jpg');
  writeFileSync(env.GHOSTNET_JPEG, await picture.clone().jpeg().toBuffer());
  writeFileSync(env.GHOSTNET_PROGRESSIVE, await picture.clone().jpeg({ progressive: true }).toBuffer());
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

const ok = ['ok', 'ok', 'ok'];

describe.skipIf(!existsSync(library))('without threads (needs the C++ tests)', () => {
  interface Threads {
    readonly meanwhile: readonly string[];
    readonly faults: number;
    readonly afterwards: readonly string[];
  }
  const withFault = (fault: string) =>
    runScriptForJson<Threads>('faults-threads.mjs', { args: [fault], env });

  it('every call fails with GHOSTNET_OUT_OF_THREADS, works afterwards, and the process ends by itself', async () => {
    const { meanwhile, faults, afterwards } = await withFault('thread 0 on');
    expect(faults).toBeGreaterThan(0);
    expect(meanwhile).toEqual(ok.map(() => 'GHOSTNET_OUT_OF_THREADS'));
    expect(afterwards).toEqual(ok);
  });

  it('calls work with the threads that there are', async () => {
    for (const fault of ['thread 1 on', 'thread 3 on', 'thread 7 on', 'thread 2']) {
      const { meanwhile, faults, afterwards } = await withFault(fault);
      expect(faults, fault).toBeGreaterThan(0);
      expect([meanwhile, afterwards], fault).toEqual([ok, ok]);
    }
  });
});

const hasPrlimit = spawnSync('prlimit', ['--version']).status === 0;

describe.skipIf(!hasPrlimit)('with a limit of memory (needs prlimit)', () => {
  it('images, files and results that exceed it fail with GHOSTNET_OUT_OF_MEMORY', async () => {
    // Larger than the heap that a thread of glibc sets aside.
    const picture = toSharp(plain(6000, 4500, [9, 99, 199]));
    const files = ['a.png', 'b.jpg', 'zeros'].map((name) => join(folder, `big-${name}`));
    const [png = '', progressive = '', zeros = ''] = files;
    await picture.clone().png({ compressionLevel: 1 }).toFile(png);
    await picture.clone().jpeg({ progressive: true }).toFile(progressive);
    writeFileSync(zeros, '');
    truncateSync(zeros, 200_000_000);
    const outcomes = await runScriptForJson<Record<string, string>>('memory-limit.mjs', { args: files });
    expect(Object.keys(outcomes)).toHaveLength(6);
    for (const [call, outcome] of Object.entries(outcomes)) {
      expect(outcome, call).toBe('GHOSTNET_OUT_OF_MEMORY');
    }
  });
});

describe.skipIf(process.platform !== 'linux')('without descriptors', () => {
  const ulimit = (most: number) => ['sh', '-c', `ulimit -n ${most}; exec "$@"`, '-'];

  it('every call that needs one says so, and works afterwards', async () => {
    const png = join(folder, 'a.png');
    await toSharp(gradient(90, 60)).png().toFile(png);
    const args = [env.GHOSTNET_JPEG ?? '', png, join(folder, 'saved.safetensors')];
    const errors = await runScriptForJson<Record<string, { code: string; message: string; remedy: string }>>(
      'descriptors.mjs',
      { args, under: ulimit(200) },
    );
    expect(Object.entries(errors).map(([call, { code }]) => [call, code])).toEqual([
      ['jpeg', 'GHOSTNET_FILE_UNREADABLE'],
      ['png', 'GHOSTNET_FILE_UNREADABLE'],
      ['weights', 'GHOSTNET_FILE_UNREADABLE'],
      ['save', 'GHOSTNET_FILE_UNWRITABLE'],
    ]);
    for (const { message, remedy } of Object.values(errors)) {
      expect(message).toMatch(/too many open files/i);
      expect(remedy).toContain('ulimit -n');
    }
  });

  it('the command line says so, as soon as Node itself has enough to read it', async () => {
    const args = ['classify', env.GHOSTNET_JPEG ?? ''];
    // How many Node needs depends on those that it inherits.
    for (let limit = 12; ; ++limit) {
      const { code, stderr } = await runScript('../../dist/cli/main.js', { args, under: ulimit(limit) });
      expect(code, `with ${limit} descriptors`).not.toBe(0);
      if (code !== 3) continue;
      expect(stderr).toMatch(/^ghostnet: .*too many open files.*ulimit -n.*\[GHOSTNET_[A-Z_]+\]\n$/i);
      return;
    }
  });
});

describe('process.exit() while a document is rendered', () => {
  it('ends the process at once, with its code and after its listeners', async () => {
    expect(await runScript('exit-decoding.mjs', { timeout: 20_000 })).toMatchObject({
      code: 7,
      stdout: 'exit 7\n',
    });
  });
});

describe.skipIf(!existsSync(library))('without memory (needs the C++ tests)', () => {
  it('every call settles with its result or GHOSTNET_OUT_OF_MEMORY, and works afterwards', async () => {
    const { figures, problems } = await runScriptForJson<Figures>('faults.mjs', {
      args: [stride],
      env,
      timeout: 600_000,
    });
    expect(problems).toEqual([]);
    for (const [call, { allocations, refused }] of Object.entries(figures)) {
      expect(allocations, call).toBeGreaterThan(0);
      expect(refused, call).toBeGreaterThan(0);
    }
  }, 600_000);
});
