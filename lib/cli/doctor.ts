import { spawnSync } from 'node:child_process';
import { arch, cpus, platform, release } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';

import { Command } from 'commander';

import { messageOf } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { loadSharp } from '../image/sharp.js';
import { GhostNet } from '../model/ghostnet.js';
import type { NativeGpu, NativeRuntime } from '../native/addon.js';
import { findBinary } from '../native/binary.js';
import type { LibTorch } from '../native/libtorch.js';
import { manifest } from '../package-files.js';
import { thisSystem } from '../native/system.js';
import { Tensor } from '../tensor.js';
import { ExitCode } from './exit-codes.js';
import { print } from './output.js';
import { runNetwork } from './run-network.js';
import { modelOption } from './shared-options.js';

/** `ghostnet doctor` */
export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('check that everything works on this machine')
    .description('Checks that everything works on this machine and prints what a bug report needs.')
    .addOption(modelOption())
    .action(async (options: { model?: string }) => {
      const healthy = await examine(options.model);
      print('');
      print(healthy ? 'Everything works.' : 'A check failed: see FAILED above.');
      if (!healthy) process.exitCode = ExitCode.unusable;
    });
}

/** The report of a child process on the native addon. */
interface Trial {
  readonly libtorch: LibTorch;
  readonly runtime: NativeRuntime;
  /** The GPUs, or the reason why none can be used. */
  readonly gpus: readonly NativeGpu[] | string;
  readonly error?: { readonly code: string; readonly message: string };
}

async function examine(source: string | undefined): Promise<boolean> {
  let healthy = true;
  // The steps are independent: a failure is reported, and the next step is tried.
  const step = async (name: string, find: () => string | Promise<string>): Promise<void> => {
    let result: string;
    try {
      result = await find();
    } catch (error) {
      healthy = false;
      const code = error instanceof GhostNetError ? ` [${error.code}]` : '';
      result = `FAILED: ${messageOf(error)}${code}`;
    }
    print(`${name.padEnd(12)} ${result}`);
  };

  await step('ghostnet', () => manifest.version);
  await step('node', () => `${process.version}, Node-API ${process.versions.napi}, ${libc()}`);
  await step('system', () => `${platform()} ${release()} ${arch()}`);
  await step('processor', () => `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} visible`);
  await step('sharp', () => {
    const { versions } = loadSharp();
    return `${versions.sharp}, libvips ${versions.vips}`;
  });
  await step('binary', () => {
    const { addon, built } = findBinary();
    return `${addon}, built with LibTorch ${built.version}`;
  });
  let trial: Trial | undefined;
  await step('libtorch', () => {
    const { libtorch, runtime } = (trial = tryBinary());
    const { version, root, from } = libtorch;
    return `${version} at ${root} (${from}); cpu, ${runtime.cpuCapability}, ${runtime.defaultThreads} threads by default`;
  });
  if (trial === undefined) return false; // the native addon would fail, or crash, in this process too
  const { gpus } = trial;
  // A missing GPU is not a failure: GPUs are used only on request.
  await step('gpu', () => (typeof gpus === 'string' ? gpus : gpus.map(describeGpu).join('; ')));
  await step('model', async () => {
    const started = performance.now();
    using model = await GhostNet.load(source);
    const { variant, numClasses, inputSize } = model.info;
    return `${variant}, ${numClasses} classes, input ${inputSize}, loaded in ${since(started)}`;
  });
  await step('inference', async () => {
    using model = await GhostNet.load(source);
    const { inputSize } = model.info;
    using input = Tensor.empty('uint8', [1, inputSize, inputSize, 3]);
    const first = performance.now();
    using logits = await runNetwork(model, input);
    const firstTook = since(first);
    if (!logits.data.every(Number.isFinite))
      throw new Error('The network returned numbers that are not finite.');
    const second = performance.now();
    (await runNetwork(model, input)).dispose();
    return `one image in ${since(second)}, the first in ${firstTook}`;
  });
  return healthy;
}

function tryBinary(): Trial {
  const script = join(__dirname, 'try-binary.js');
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [script], { encoding: 'utf8' });
  if (status !== 0) {
    throw new GhostNetError('GHOSTNET_ADDON_UNLOADABLE', 'The native addon crashes when it is opened', {
      found: `a process that ended with ${signal ?? status}${stderr === '' ? '' : `: ${stderr.trim()}`}`,
      remedy: 'Report it with this output.',
    });
  }
  const trial = JSON.parse(stdout) as Trial;
  if (trial.error !== undefined) throw new Error(`${trial.error.message} [${trial.error.code}]`);
  return trial;
}

function describeGpu({ name, capability, isSupported, memory }: NativeGpu, index: number): string {
  const fit = isSupported ? '' : ', too old: 8.0 or later is needed';
  return `cuda:${index} ${name}, ${(memory / 1e9).toFixed(0)} GB, compute capability ${capability}${fit}`;
}

function since(start: number): string {
  return `${(performance.now() - start).toFixed(1)} ms`;
}

function libc(): string {
  const { glibc } = thisSystem();
  return glibc === undefined ? 'no glibc' : `glibc ${glibc}`;
}
