import { readFileSync } from 'node:fs';
import { arch, cpus, platform, release } from 'node:os';
import { performance } from 'node:perf_hooks';

import { Command } from 'commander';

import { GhostNetError } from '../errors.js';
import { loadSharp } from '../image/sharp.js';
import { GhostNet } from '../model.js';
import { findBinary, nativeParts } from '../native.js';
import { Tensor } from '../tensor.js';
import { ExitCode } from './exit-codes.js';
import { modelOption } from './options.js';

/** `ghostnet doctor` */
export function doctorCommand(): Command {
  return new Command('doctor')
    .summary('check that everything works here')
    .description('Checks that everything works on this machine and prints what a bug report needs.')
    .addOption(modelOption())
    .action(async (options: { model?: string }) => {
      const healthy = await examine(options.model);
      process.stdout.write(healthy ? '\nAll is well.\n' : '\nSomething is wrong: see FAILED above.\n');
      if (!healthy) process.exitCode = ExitCode.unusable;
    });
}

async function examine(source: string | undefined): Promise<boolean> {
  let healthy = true;
  // Each step stands for itself: one that fails is told, and the next is tried.
  const step = async (name: string, find: () => string | Promise<string>): Promise<void> => {
    let result: string;
    try {
      result = await find();
    } catch (error) {
      healthy = false;
      const code = error instanceof GhostNetError ? ` [${error.code}]` : '';
      result = `FAILED: ${error instanceof Error ? error.message : String(error)}${code}`;
    }
    process.stdout.write(`${name.padEnd(12)} ${result}\n`);
  };

  await step('ghostnet', () => {
    const manifest = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
    return (JSON.parse(manifest) as { version: string }).version;
  });
  await step('node', () => `${process.version}, Node-API ${process.versions.napi}, ${libc()}`);
  await step('system', () => `${platform()} ${release()} ${arch()}`);
  await step('processor', () => `${cpus()[0]?.model ?? 'unknown'}, ${cpus().length} visible`);
  await step('sharp', async () => {
    const { versions } = await loadSharp();
    return `${versions.sharp}, libvips ${versions.vips}`;
  });
  await step('binary', () => {
    const { addon, built } = findBinary();
    return `${addon}, built with LibTorch ${built.version}`;
  });
  await step('libtorch', () => {
    const { libtorch } = nativeParts();
    return `${libtorch.version} at ${libtorch.root} (${libtorch.from})`;
  });
  await step('device', () => {
    const { cpuCapability, defaultThreads } = nativeParts().addon.runtime();
    return `cpu, ${cpuCapability}, ${defaultThreads} threads by default`;
  });
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
    using logits = await model.forward(input);
    const firstTook = since(first);
    if (!logits.data.every(Number.isFinite)) throw new Error('The network gave numbers that are not finite.');
    const second = performance.now();
    (await model.forward(input)).dispose();
    return `one image in ${since(second)}, the first in ${firstTook}`;
  });
  return healthy;
}

function since(start: number): string {
  return `${(performance.now() - start).toFixed(1)} ms`;
}

function libc(): string {
  const { header } = process.report.getReport() as { header: { glibcVersionRuntime?: string } };
  return header.glibcVersionRuntime === undefined ? 'no glibc' : `glibc ${header.glibcVersionRuntime}`;
}
