import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

import { manifest, root } from '../../packaging/project.mjs';
import { checkCosts } from './costs.mjs';
import { label, Project } from './project.mjs';
import { nodeBinary } from './tools.mjs';

const require = createRequire(import.meta.url);
const platformPackage = `@ghostnet/libtorch-${process.platform}-${process.arch}`;

function begin({ registry }, version, manager, title) {
  const node = nodeBinary(version);
  const number = spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout.trim();
  console.log(`\nNode ${number.slice(1)}, ${manager}${title === undefined ? '' : `, ${title}`}`);
  return { project: new Project(registry, node, manager), name: `Node ${number.slice(1)}, ${manager}` };
}

/** The steps of every user: install, and classify an image from each kind of module and from the command line. */
export async function usual({ check, rows, hasGpuLibrary, ...context }, version, manager) {
  const { project, name } = begin(context, version, manager);
  const seconds = await check('installs', () => project.install(['ghostnet']));
  if (seconds !== undefined) {
    for (const script of ['esm.mjs', 'commonjs.cjs']) {
      await check(`classifies in ${script}`, () => {
        const { status, stdout, stderr } = project.run('node', [script, 'photo.jpg']);
        assert.deepEqual([status, stdout.trim(), stderr], [0, label, '']);
      });
    }
    await check('compiles and classifies in TypeScript, ESM and CommonJS', () => {
      project.compile('node16');
      for (const script of ['typescript-esm.mjs', 'typescript-commonjs.cjs']) {
        assert.equal(project.get('node', [script, 'photo.jpg']), label);
      }
      project.compile('nodenext');
      project.compile('preserve', 'bundler');
    });
    await check('classifies on the command line', () => {
      // A package manager may print something first.
      const printed = project.exec(['ghostnet', 'classify', 'photo.jpg', '--top-k', '1']).split('\n').at(-1);
      const line = JSON.parse(printed);
      assert.equal(line.classes[0].label, label);
    });
    const first = await check('gives a label soon after the start', () => project.secondsToLabel('esm.mjs'));
    if (manager === 'npm')
      await check('costs as much as docs/install.md says', () => {
        checkCosts(join(project.app, 'node_modules'), context.registry.storage);
      });
    rows.push([name, seconds.toFixed(1), project.megabytes().toFixed(0), first?.toFixed(2) ?? '']);
  }
  await serving(check, project);
  await observability(check, project);
  await queues(check, project);
  if (manager === 'npm') await afterwards(check, project, hasGpuLibrary);
  project.remove();
}

/** The server, which needs no peer dependency. */
async function serving(check, project) {
  await check('serves a model, in ESM and CommonJS', () => {
    for (const name of ['serve.mjs', 'serve.cjs']) {
      assert.equal(project.get('node', [name, 'photo.jpg']), label);
    }
  });
  await check('compiles against the types of the server, without those of peers', () => {
    const files = ['serve-esm.mts', 'serve-commonjs.cts'];
    project.compile('node16', undefined, files);
    project.compile('nodenext', undefined, files);
    project.compile('preserve', 'bundler', files);
  });
}

/** The entries that need optional peer dependencies, before and after these are installed. */
async function observability(check, project) {
  const script = 'observability.mjs';
  const missing = (name) => `GHOSTNET_PEER_NOT_INSTALLED Install it: \`npm install ${name}\`.`;
  const install = (name) => project.install([`${name}@${manifest.devDependencies[name]}`]);
  await check('GHOSTNET_PEER_NOT_INSTALLED: says which package to install', () => {
    assert.equal(project.get('node', [script, 'photo.jpg']), missing('@opentelemetry/api'));
    install('@opentelemetry/api');
    assert.equal(project.get('node', [script, 'photo.jpg']), missing('prom-client'));
    install('prom-client');
  });
  await check('serves metrics and makes spans, in ESM and CommonJS', () => {
    for (const name of [script, 'observability.cjs']) {
      assert.equal(
        project.get('node', [name, 'photo.jpg']),
        'nv_inference_request_success{model="everyday",version="1"} 1',
      );
    }
  });
  await check('compiles against the types of the peers', () => {
    const files = ['observability-esm.mts', 'observability-commonjs.cts'];
    project.compile('node16', undefined, files);
    project.compile('nodenext', undefined, files);
    project.compile('preserve', 'bundler', files);
  });
}

/** The queues, before and after their peer dependencies are installed. */
async function queues(check, project) {
  const scripts = ['queue.mjs', 'queue.cjs'];
  await check('GHOSTNET_PEER_NOT_INSTALLED: says which packages queues need', () => {
    for (const name of scripts) {
      const expected = 'GHOSTNET_PEER_NOT_INSTALLED Install it: `npm install bullmq ioredis`.';
      assert.equal(project.get('node', [name]), expected);
    }
  });
  await check('opens a queue, in ESM and CommonJS', () => {
    project.install(['bullmq', 'ioredis'].map((name) => `${name}@${manifest.devDependencies[name]}`));
    // There is no Redis.
    for (const name of scripts) assert.match(project.get('node', [name]), /^GHOSTNET_SERVICE_FAILED /);
  });
  await check('compiles against the types of queues', () => {
    const files = ['queue-esm.mts', 'queue-commonjs.cts'];
    project.compile('node16', undefined, files);
    project.compile('nodenext', undefined, files);
    project.compile('preserve', 'bundler', files);
  });
}

/** Further checks of an installation, and of the same installation after it is damaged. */
async function afterwards(check, project, hasGpuLibrary) {
  await check('classifies in two worker threads at once', () => {
    assert.equal(project.get('node', ['worker.mjs', 'photo.jpg']), label);
  });
  await check('works in a bundle of esbuild that leaves it external', () => {
    const esbuild = join(dirname(require.resolve('esbuild/package.json')), 'bin', 'esbuild');
    for (const [script, format] of [
      ['esm.mjs', 'esm'],
      ['commonjs.cjs', 'cjs'],
    ]) {
      const bundle = `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`;
      const args = ['--bundle', '--platform=node', `--format=${format}`, '--external:ghostnet'];
      const { status, stderr } = spawnSync(esbuild, [script, ...args, `--outfile=${bundle}`], {
        cwd: project.app,
        encoding: 'utf8',
      });
      assert.equal(status, 0, stderr);
      assert.equal(project.get('node', [bundle, 'photo.jpg']), label);
    }
  });
  await check('is found healthy by its doctor', () => {
    const report = project.exec(['ghostnet', 'doctor']);
    assert.match(report, /Everything works/);
    assert.match(report, hasGpuLibrary ? /cuda:0|GHOSTNET_CUDA_UNAVAILABLE/ : /GHOSTNET_CUDA_NOT_INSTALLED/);
  });
  await check('GHOSTNET_LIBTORCH_VERSION: LIBTORCH names another version', () => {
    const folder = join(project.app, 'other');
    mkdirSync(join(folder, 'lib'), { recursive: true });
    writeFileSync(join(folder, 'build-version'), '1.2.3+cpu\n');
    const { status, stderr } = project.run('node', ['esm.mjs', 'photo.jpg'], { LIBTORCH: folder });
    assert.notEqual(status, 0);
    assert.match(stderr, /LibTorch 1\.2\.3 at .*GHOSTNET_LIBTORCH_VERSION/s);
  });
  await check('GHOSTNET_LIBRARY_MISSING: a library of the platform package was removed', () => {
    unlinkSync(join(project.app, 'node_modules', platformPackage, 'lib', 'libtorch_cpu.so'));
    const { status, stderr } = project.run('node', ['esm.mjs', 'photo.jpg']);
    assert.notEqual(status, 0);
    assert.match(stderr, /libtorch_cpu\.so.*GHOSTNET_LIBRARY_MISSING/s);
  });
}

/** Other ways to install, with npm. */
export async function special({ check, rows, next, quick, ...context }, version) {
  const attempt = async (title, action) => {
    const { project, name } = begin(context, version, 'npm', title);
    try {
      await action(project, `${name}, ${title}`);
    } finally {
      project.remove();
    }
  };
  await attempt('--omit=optional', async (project) => {
    await check('GHOSTNET_LIBTORCH_NOT_INSTALLED: says what to type', () => {
      project.install(['ghostnet'], ['--omit=optional']);
      const { status, stderr } = project.run('node', ['esm.mjs', 'photo.jpg']);
      assert.notEqual(status, 0);
      assert.match(stderr, /--include=optional.*GHOSTNET_LIBTORCH_NOT_INSTALLED/s);
    });
  });
  if (quick) return;
  await attempt('the lines of the README', async (project) => {
    await check('work as they are written', () => {
      const section = /^## Install$(.*?)^## /ms.exec(readFileSync(join(root, 'README.md'), 'utf8'))?.[1];
      const [, commands] = /^```sh\n(.*?)^```$/ms.exec(section);
      const [, program] = /^```js\n(.*?)^```$/ms.exec(section);
      const printed = project.get('sh', ['-ec', commands]).split('\n').at(-1);
      assert.equal(JSON.parse(printed).classes[0].label, label);
      writeFileSync(join(project.app, 'readme.mjs'), program);
      assert.match(project.get('node', ['readme.mjs']), new RegExp(`^${label} 0\\.\\d+$`));
    });
  });
  await attempt('--ignore-scripts', async (project, name) => {
    await check('installs and classifies', async () => {
      const seconds = project.install(['ghostnet'], ['--ignore-scripts']);
      const first = await project.secondsToLabel('esm.mjs');
      rows.push([name, seconds.toFixed(1), project.megabytes().toFixed(0), first.toFixed(2)]);
    });
  });
  await attempt('two versions', async (project, name) => {
    await check('both classify in one process', async () => {
      const seconds = project.install(['ghostnet', `ghostnet-next@npm:ghostnet@${next}`]);
      assert.equal(project.get('node', ['two-versions.mjs', 'photo.jpg']), label);
      const first = await project.secondsToLabel('two-versions.mjs');
      rows.push([name, seconds.toFixed(1), project.megabytes().toFixed(0), first.toFixed(2)]);
    });
  });
}
