import { performance } from 'node:perf_hooks';

import { Command, InvalidArgumentError } from 'commander';

import { GhostNet } from '../model/ghostnet.js';
import type { LoadOptions } from '../model/options.js';
import type { Precision } from '../model/precision.js';
import type { Device } from '../native/device.js';
import { native } from '../native/load.js';
import { Tensor } from '../tensor.js';
import { exitCodeHelp } from './exit-codes.js';
import { print, printJson } from './output.js';
import { runNetwork } from './run-network.js';
import {
  allowNonFiniteOption,
  deviceOption,
  jsonOption,
  maxFileBytesOption,
  modelOption,
  precisionOption,
  prefixOption,
} from './shared-options.js';

interface Options {
  readonly model?: string;
  readonly allowNonFinite?: boolean;
  readonly prefix?: string;
  readonly maxFileBytes?: number;
  readonly device: Device;
  readonly batch: readonly number[];
  readonly threads?: readonly number[];
  readonly seconds: number;
  readonly precision: Precision;
  readonly profile?: boolean;
  readonly json?: boolean;
}

/** A row of the table. */
interface Timing {
  readonly batch: number;
  readonly threads: number;
  readonly runs: number;
  /** For one run of the whole batch, in milliseconds. */
  readonly median: number;
  readonly p10: number;
  readonly p90: number;
}

/** `ghostnet bench` */
export function benchCommand(): Command {
  return new Command('bench')
    .summary('time a model on this machine')
    .description(
      'Times a model on this machine, for each number of threads and each batch size, from bytes in memory to scores in\n' +
        'memory, without decoding and resizing.',
    )
    .addOption(modelOption())
    .addOption(allowNonFiniteOption())
    .addOption(prefixOption())
    .addOption(maxFileBytesOption())
    .addOption(deviceOption())
    .option('--batch <list>', 'batch sizes, separated by commas', parseCounts, [1, 8, 32])
    .option(
      '--threads <list>',
      'numbers of threads, separated by commas (default: 1, and all that the process may use)',
      parseCounts,
    )
    .option('--seconds <n>', 'how long to time each combination', parseSeconds, 1)
    .addOption(precisionOption())
    .option('--profile', 'print the time of each layer to standard error')
    .addOption(jsonOption('JSON lines'))
    .addHelpText('after', exitCodeHelp)
    .action(async (options: Options) => {
      const words = options.json !== true && process.stdout.isTTY;
      // The native addon reads the variable, and prints the times at exit.
      if (options.profile === true) process.env.GHOSTNET_PROFILE = '1';
      const { defaultThreads } = native().runtime();
      // The GPU engine uses no CPU threads.
      const ofCpu = options.device === 'cpu' ? [1, defaultThreads] : [1];
      const threadCounts = options.threads ?? [...new Set(ofCpu)];
      if (words) print(header);
      for (const threads of threadCounts) {
        const { device, precision, allowNonFinite, prefix, maxFileBytes } = options;
        const given = { threads, device, precision, allowNonFinite, prefix, maxFileBytes };
        using model = await GhostNet.load(options.model, given as LoadOptions);
        for (const batch of options.batch) {
          const timing = await time(model, batch, options.seconds);
          if (words) print(rowOf(timing));
          else await printJson(timing);
        }
      }
    });
}

async function time(model: GhostNet, batch: number, seconds: number): Promise<Timing> {
  const { inputSize, threads } = model.info;
  using input = Tensor.empty('uint8', [batch, inputSize, inputSize, 3]);
  // Every image is the same amount of work, except that denormal numbers, which are slow, must not arise.
  for (let index = 0; index < input.data.length; index += 1) input.data[index] = (index * 7919) % 256;
  const run = async (): Promise<number> => {
    const start = performance.now();
    (await runNetwork(model, input)).dispose();
    return performance.now() - start;
  };
  // The first run of a shape also plans it; the second warms the caches.
  await run();
  await run();
  const milliseconds: number[] = [];
  const end = performance.now() + seconds * 1000;
  while (milliseconds.length < 3 || performance.now() < end) milliseconds.push(await run());
  milliseconds.sort((a, b) => a - b);
  const at = (share: number): number => milliseconds[Math.round(share * (milliseconds.length - 1))] ?? NaN;
  return { batch, threads, runs: milliseconds.length, median: at(0.5), p10: at(0.1), p90: at(0.9) };
}

const header = 'threads  batch      ms      p10..p90         ms/image  images/s';

function rowOf({ batch, threads, median, p10, p90 }: Timing): string {
  return [
    String(threads).padStart(7),
    String(batch).padStart(5),
    median.toFixed(2).padStart(8),
    `${p10.toFixed(2)}..${p90.toFixed(2)}`.padEnd(16),
    (median / batch).toFixed(2).padStart(8),
    ((batch * 1000) / median).toFixed(0).padStart(8),
  ].join('  ');
}

function parseCounts(text: string): number[] {
  return text.split(',').map((part) => {
    const count = Number(part);
    if (!/^\s*\d+\s*$/.test(part) || count < 1 || count > 4096) {
      throw new InvalidArgumentError('Expected whole numbers from 1 to 4096, separated by commas.');
    }
    return count;
  });
}

function parseSeconds(text: string): number {
  const seconds = Number(text);
  if (text.trim() === '' || !(seconds >= 0 && seconds <= 3600)) {
    throw new InvalidArgumentError('Expected a number from 0 to 3600.');
  }
  return seconds;
}
