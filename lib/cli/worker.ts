import { setTimeout as sleep } from 'node:timers/promises';

import { Command, Option } from 'commander';

import type { WeightsChoice } from '../checkpoint/index.js';
import { GhostNet } from '../model/ghostnet.js';
import type { Precision } from '../model/precision.js';
import type { Device } from '../native/device.js';
import type { QueueWorker, ResultsOption, WorkerEvent } from '../queue/index.js';
import { ExitCode, exitCodesInWords } from './exit-codes.js';
import { report, reportError } from './output.js';
import { queueOption, redisOption, withQueue, type QueueOptions } from './queue-options.js';
import {
  allowNonFiniteOption,
  deviceOption,
  maxFileBytesOption,
  modelOption,
  parseCount,
  parseWhole,
  precisionOption,
  prefixOption,
  threadsOption,
  weightsOption,
} from './shared-options.js';

interface Options extends QueueOptions {
  readonly model?: string;
  readonly allowNonFinite?: boolean;
  readonly weights: WeightsChoice;
  readonly prefix?: string;
  readonly maxFileBytes?: number;
  readonly device: Device;
  readonly threads?: number;
  readonly precision: Precision;
  readonly embed?: boolean;
  readonly topK?: number;
  readonly batchSize?: number;
  readonly decode: 'exact' | 'fast';
  readonly maxImageBytes?: number;
  readonly maxPixels?: number;
  readonly concurrency?: number;
  readonly root: string;
  readonly allowUrl: string[];
  readonly out?: string;
  readonly redisHash?: string;
  readonly postgres?: string;
  readonly table?: string;
  readonly attempts?: number;
  readonly keepCompleted?: number;
  readonly grace: number;
  readonly untilEmpty?: boolean;
}

const exitCodes = exitCodesInWords({
  0: 'ended in order',
  1: 'with --until-empty: some images failed',
  2: 'wrong usage',
  3: 'the model, Redis, the place of results or the package cannot be used',
});

/** `ghostnet worker` */
export function workerCommand(): Command {
  return new Command('worker')
    .summary('classify the images of a queue')
    .description(
      'Takes jobs from a queue in Redis, one image each, and keeps the results: as return values of the jobs, or where one of\n' +
        '--out, --redis-hash and --postgres says. Runs until SIGTERM or SIGINT, then hands back what it has not begun.',
    )
    .addOption(redisOption())
    .addOption(queueOption())
    .option('--root <folder>', 'the folder of the paths in jobs; nothing outside is read', '.')
    .option(
      '--allow-url <prefixes...>',
      'beginnings of URLs that may be fetched, as https://bucket.example/photos/',
      [],
    )
    .addOption(
      new Option('--out <file>', 'write results to a file of JSON lines, which workers may share').conflicts([
        'redisHash',
        'postgres',
      ]),
    )
    .addOption(new Option('--redis-hash <key>', 'write results to a hash in Redis').conflicts('postgres'))
    .addOption(
      new Option('--postgres <url>', 'write results to a table of PostgreSQL').env('GHOSTNET_POSTGRES'),
    )
    .option('--table <name>', 'the table (default: ghostnet_results)')
    .addOption(modelOption())
    .addOption(allowNonFiniteOption())
    .addOption(weightsOption())
    .addOption(prefixOption())
    .addOption(maxFileBytesOption())
    .option('--embed', 'compute embeddings, not classes')
    .option('-k, --top-k <n>', 'classes per image (default: 5, or all if there are fewer)', parseCount)
    .option('--batch-size <n>', 'images per batch (default: 16)', parseCount)
    .option('--concurrency <n>', 'jobs that the worker holds (default: three batches)', parseCount)
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(precisionOption())
    .addOption(
      new Option('--decode <how>', 'exact, or fast: decode large JPEGs at a reduced size')
        .choices(['exact', 'fast'])
        .default('exact'),
    )
    .option('--max-image-bytes <n>', 'the most bytes of an image (default: 50000000)', parseCount)
    .option('--max-pixels <n>', 'the most pixels of an image (default: 50000000)', parseCount)
    .option('--attempts <n>', 'attempts for failures that may pass (default: 6)', parseCount)
    .option('--keep-completed <n>', 'completed jobs that Redis keeps (default: all)', parseWhole)
    .option('--grace <seconds>', 'time to finish after SIGTERM', parseWhole, 8)
    .option('--until-empty', 'end when the queue is empty')
    .addHelpText('after', exitCodes)
    .action(work);
}

async function work(options: Options): Promise<void> {
  const { createWorker } = await import('../queue/index.js');
  const stop = stopSignal();
  const {
    model: source,
    device,
    precision,
    weights,
    allowNonFinite,
    threads,
    prefix,
    maxFileBytes,
  } = options;
  const model = await GhostNet.load(source, {
    device,
    precision,
    weights,
    ...(allowNonFinite === undefined ? {} : { allowNonFinite }),
    ...(threads === undefined ? {} : { threads }),
    ...(prefix === undefined ? {} : { prefix }),
    ...(maxFileBytes === undefined ? {} : { maxFileBytes }),
  });
  const { embed = false, topK, batchSize, decode, maxPixels, maxImageBytes } = options;
  const { queue, redis, root, allowUrl, concurrency, attempts, keepCompleted, grace } = options;
  const results = resultsOf(options);
  const starting = createWorker({
    model,
    queue,
    redis,
    root,
    urlPrefixes: allowUrl,
    pipeline: {
      output: embed ? 'embed' : 'classify',
      decode,
      ...(topK === undefined ? {} : { topK }),
      ...(batchSize === undefined ? {} : { maxBatch: batchSize }),
      ...(maxPixels === undefined ? {} : { maxPixels }),
    },
    ...(maxImageBytes === undefined ? {} : { maxImageBytes }),
    ...(concurrency === undefined ? {} : { concurrency }),
    ...(attempts === undefined ? {} : { attempts }),
    ...(keepCompleted === undefined ? {} : { keepCompleted }),
    ...(results === undefined ? {} : { results }),
    onEvent: reportEvent,
  });
  // Redis may never come.
  const worker = await Promise.race([starting, stop.then(() => undefined)]);
  if (worker === undefined) process.exit(0);
  report(`ghostnet: working on the queue ${queue} with ${model.info.variant}`);
  if (options.untilEmpty === true) await untilEmpty(options, worker, stop);
  else await stop;
  report('ghostnet: stopping');
  await worker.close(grace * 1000);
  model.dispose();
  const { done, repeated, retried, dead, handedBack } = worker.stats();
  if (options.untilEmpty === true && dead > 0) process.exitCode = ExitCode.someFailed;
  const parts = [`${done} done`];
  if (repeated > 0) parts.push(`${repeated} of them had a result already`);
  if (retried > 0) parts.push(`${retried} to be tried again`);
  if (dead > 0) parts.push(`${dead} failed`);
  if (handedBack > 0) parts.push(`${handedBack} handed back`);
  report(`ghostnet: ${parts.join(', ')}`);
  // Without Redis, timers of its client go on for some seconds.
  setTimeout(() => process.exit(), 500).unref();
}

/** Resolves at the first SIGTERM or SIGINT. A second one ends the process at once. */
function stopSignal(): Promise<void> {
  return new Promise((resolve) => {
    let isStopping = false;
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        if (isStopping) process.exit(signal === 'SIGINT' ? 130 : 143);
        isStopping = true;
        resolve();
      });
    }
  });
}

/** Looks at the queue every second, until it is empty, nothing is held, or the worker is told to stop. */
async function untilEmpty(options: Options, worker: QueueWorker, stop: Promise<void>): Promise<void> {
  let isStopping = false;
  const stopping = stop.then(() => (isStopping = true));
  await withQueue(options, async (queue) => {
    while (!isStopping) {
      const looked = await Promise.race([queue.status(), stopping]);
      if (typeof looked === 'boolean') return;
      const { waiting, active, delayed } = looked;
      if (waiting + active + delayed + worker.stats().holding === 0) return;
      await Promise.race([sleep(1_000, undefined, { ref: false }), stopping]);
    }
  });
}

function resultsOf({ out, redisHash, postgres, table }: Options): ResultsOption | undefined {
  if (out !== undefined) return { file: out };
  if (redisHash !== undefined) return { redisHash };
  return postgres === undefined ? undefined : { postgres, table };
}

function reportEvent(event: WorkerEvent): void {
  switch (event.type) {
    case 'dead':
      reportError(event.error, event.image);
      break;
    case 'retry':
      report(
        `ghostnet: ${event.image}: tried again in ${(event.delayMs / 1000).toFixed(1)} s: ${event.error.message} [${event.error.code}]`,
      );
      break;
    case 'down':
      reportError(event.error);
      report(`ghostnet: waiting for ${event.what === 'redis' ? 'Redis' : 'the place of results'}`);
      break;
    case 'up':
      report(`ghostnet: ${event.what === 'redis' ? 'Redis' : 'the place of results'} is back`);
      break;
    case 'eviction':
      report(
        `ghostnet: Redis may lose jobs when its memory is full: its maxmemory-policy is ${event.policy}. Set it to noeviction.`,
      );
      break;
  }
}
