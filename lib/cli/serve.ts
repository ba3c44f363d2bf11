import { readFileSync } from 'node:fs';

import { Command, InvalidArgumentError, Option } from 'commander';

import { GhostNetError } from '../errors.js';
import { GhostNet } from '../model/ghostnet.js';
import type { Precision } from '../model/precision.js';
import { embeddedModel } from '../model/source.js';
import type { Device } from '../native/device.js';
import type { ServedModel } from '../serve/index.js';
import { exitCodeHelp } from './exit-codes.js';
import { report } from './output.js';
import {
  deviceOption,
  parseCount,
  parseMilliseconds,
  parsePort,
  precisionOption,
  threadsOption,
} from './shared-options.js';

interface Options {
  readonly model: readonly NamedSource[];
  readonly port: number;
  readonly host: string;
  readonly grpcPort?: number;
  readonly tokenFile?: string;
  readonly maxBodyBytes?: number;
  readonly maxBatch?: number;
  readonly maxQueue?: number;
  readonly timeout?: number;
  readonly maxPixels?: number;
  readonly decode: 'exact' | 'fast';
  readonly drainDelay?: number;
  readonly grace?: number;
  readonly page: boolean;
  readonly device: Device;
  readonly threads?: number;
  readonly precision: Precision;
}

/** NAME, NAME=FILE or NAME:VERSION=FILE of the command line. */
interface NamedSource {
  readonly name: string;
  readonly version?: string;
  readonly source: string;
}

/** `ghostnet serve` */
export function serveCommand(): Command {
  return new Command('serve')
    .summary('serve models over HTTP and gRPC')
    .description(
      'Serves models by the Open Inference Protocol, as the clients of Triton and KServe speak it. Also: POST /classify with a file\n' +
        'as the body, GET / for a page to drop pictures on, and GET /metrics. On SIGTERM it finishes what it has taken, and ends.',
    )
    .addOption(
      new Option(
        '-m, --model <name[:version][=file]>',
        'a model: the name of pulled weights, or any name and a weights file; repeatable (default: the embedded model)',
      )
        .argParser((text: string, before: readonly NamedSource[]) => [...before, parseModel(text)])
        .default([], ''),
    )
    .addOption(new Option('-p, --port <n>', 'port').argParser(parsePort).default(8080))
    .option('--host <address>', 'address to listen at; 0.0.0.0 is open to other machines', '127.0.0.1')
    .option('--grpc-port <n>', 'port for gRPC (default: no gRPC)', parsePort)
    .option('--token-file <file>', 'requests need the bearer token in this file; else that of GHOSTNET_TOKEN')
    .option('--max-body-bytes <n>', 'the most bytes of a request (default: 20000000)', parseCount)
    .option('--max-batch <n>', 'the most images of a batch (default: 16)', parseCount)
    .option('--max-queue <n>', 'images that may wait; then 429 (default: 256)', parseCount)
    .option('--timeout <ms>', 'how long an image may wait; then 504 (default: no limit)', parseMilliseconds)
    .option('--max-pixels <n>', 'the most pixels of an image (default: 50000000)', parseCount)
    .addOption(
      new Option('--decode <how>', 'exact, or fast: decode large JPEGs at a reduced size')
        .choices(['exact', 'fast'])
        .default('exact'),
    )
    .option(
      '--drain-delay <ms>',
      'from SIGTERM until no connection is accepted (default: 3000)',
      parseMilliseconds,
    )
    .option(
      '--grace <ms>',
      'from SIGTERM until what still waits is rejected (default: 25000)',
      parseMilliseconds,
    )
    .option('--no-page', 'no page at GET /')
    .addOption(deviceOption())
    .addOption(threadsOption())
    .addOption(precisionOption())
    .addHelpText('after', exitCodeHelp)
    .action(serve);
}

function parseModel(text: string): NamedSource {
  const [, name = '', version, file] = /^([\w.-]+)(?::([\w.-]+))?(?:=(.+))?$/s.exec(text) ?? [];
  if (name === '')
    throw new InvalidArgumentError(
      'Expected NAME, NAME=FILE or NAME:VERSION=FILE, the name of letters, digits, _ . -',
    );
  return { name, source: file ?? name, ...(version === undefined ? {} : { version }) };
}

async function serve(options: Options): Promise<void> {
  // Only this command needs it.
  const { startServer } = await import('../serve/index.js');
  const { device, threads, precision, decode, maxPixels, maxBatch, maxQueue, timeout } = options;
  const named = options.model.length > 0 ? options.model : [undefined];
  const models = named.map((given): ServedModel => {
    const model = GhostNet.load(given?.source ?? embeddedModel, {
      device,
      precision,
      decode,
      ...(threads === undefined ? {} : { threads }),
      ...(maxPixels === undefined ? {} : { maxPixels }),
    });
    const version = given?.version === undefined ? {} : { version: given.version };
    return { name: given?.name ?? 'ghostnet', ...version, model };
  });
  for (const { model } of models) Promise.resolve(model).catch(() => undefined); // whenReady() tells
  const token = tokenOf(options.tokenFile);
  const server = await startServer(models, {
    port: options.port,
    host: options.host,
    page: options.page,
    pipeline: {
      ...(maxBatch === undefined ? {} : { maxBatch }),
      ...(maxQueue === undefined ? {} : { maxQueue }),
      ...(timeout === undefined ? {} : { timeoutMs: timeout }),
    },
    ...(options.grpcPort === undefined ? {} : { grpcPort: options.grpcPort }),
    ...(token === undefined ? {} : { token }),
    ...(options.maxBodyBytes === undefined ? {} : { maxBodyBytes: options.maxBodyBytes }),
    ...(options.drainDelay === undefined ? {} : { drainDelayMs: options.drainDelay }),
    ...(options.grace === undefined ? {} : { graceMs: options.grace }),
  });
  const start = performance.now();
  const ended = new Promise<void>((resolve, reject) => {
    const end = (signal: string): void => {
      report(`ghostnet: ${signal}: finishing what was taken`);
      server.close().then(resolve, reject);
    };
    // A second signal ends the process at once, as without this.
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, end);
    server.whenReady().then(() => {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      report(`ghostnet: ready after ${seconds} s: ${models.map(({ name }) => name).join(', ')}`);
    }, reject);
  });
  report(`ghostnet: listening at ${server.url}`);
  if (server.grpcPort !== undefined) {
    const { hostname } = new URL(server.url);
    report(`ghostnet: listening for gRPC at ${hostname}:${server.grpcPort}`);
  }
  try {
    await ended;
  } catch (error) {
    // A model that cannot be loaded: the server would never be ready.
    await server.close();
    throw error;
  }
  for (const { model } of models) (await model).dispose();
}

/** Not an option: other users of the machine see the arguments of a process. */
function tokenOf(file: string | undefined): string | undefined {
  if (file === undefined) return process.env.GHOSTNET_TOKEN;
  try {
    return readFileSync(file, 'utf8').trim();
  } catch (cause) {
    throw new GhostNetError('GHOSTNET_FILE_UNREADABLE', `The file of the token cannot be read`, {
      found: (cause as NodeJS.ErrnoException).code,
      cause,
    });
  }
}
