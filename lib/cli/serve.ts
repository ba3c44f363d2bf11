import { readFileSync } from 'node:fs';

import { Command, InvalidArgumentError, Option } from 'commander';

import { GhostNetError } from '../errors.js';
import { GhostNet } from '../model/ghostnet.js';
import type { Precision } from '../model/precision.js';
import { embeddedModel } from '../model/source.js';
import type { Device } from '../native/device.js';
import type { ServedModel } from '../serve/index.js';
import { exitCodesInWords } from './exit-codes.js';
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

const exitCodes = exitCodesInWords({
  0: 'ended in order, by SIGTERM or SIGINT',
  2: 'wrong usage',
  3: 'a model, the address or the package cannot be used',
});

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
        'a model: the name of pulled weights, or any name and a weights file; repeatable',
      )
        .argParser((text: string, before: readonly NamedSource[]) => [...before, parseModel(text)])
        .default([], 'the embedded model'),
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
    .addHelpText('after', exitCodes)
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
    let isEnding = false;
    const end = (signal: string): void => {
      // A supervisor may say it twice. Who presses Ctrl-C again means it.
      if (isEnding && signal === 'SIGTERM') return;
      if (isEnding) {
        report('ghostnet: SIGINT again: ending at once');
        process.exit(130);
      }
      isEnding = true;
      report(`ghostnet: ${signal}: finishing what was taken`);
      server.close().then(resolve, reject);
    };
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, end);
    server.whenReady().then(() => {
      const seconds = ((performance.now() - start) / 1000).toFixed(1);
      report(
        `ghostnet: ready after ${seconds} s: ${models.map(({ name, version = '1' }) => `${name}:${version}`).join(', ')}`,
      );
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
  if (file === undefined) return checkedToken(process.env.GHOSTNET_TOKEN, 'The variable GHOSTNET_TOKEN');
  try {
    return checkedToken(readFileSync(file, 'utf8').trim(), `The file ${file}`);
  } catch (cause) {
    if (cause instanceof GhostNetError) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const isAbsent = code === 'ENOENT';
    throw new GhostNetError(
      isAbsent ? 'GHOSTNET_FILE_NOT_FOUND' : 'GHOSTNET_FILE_UNREADABLE',
      `The file of the token, ${file}, cannot be read`,
      { found: code, cause },
    );
  }
}

function checkedToken(token: string | undefined, place: string): string | undefined {
  if (token === undefined || /^[\x21-\x7e]+$/.test(token)) return token;
  throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `${place} has no token`, {
    found: token === '' ? 'nothing' : `${token.length} characters, some of which cannot be in a token`,
    expected: 'one line of printable ASCII without spaces',
    remedy: 'Write a long random text into it, as `openssl rand -hex 32` prints.',
  });
}
