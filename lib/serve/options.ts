import {
  checkFlag,
  checkNumber,
  checkObject,
  checkText,
  invalidArgument,
  longestTimer,
  optionsOf,
  type KeysOf,
} from '../check/option.js';
import type { GhostNet } from '../model/ghostnet.js';
import { pipelineSettings, type PipelineOptions } from '../pipeline/index.js';
import { decodeSettings } from '../image/options.js';

/** A model that a server offers. */
export interface ServedModel {
  /** The name in addresses: letters, digits, `_`, `.` and `-`. */
  readonly name: string;
  /** The version in addresses. Default `'1'`. */
  readonly version?: string;
  /** The model, or the promise of it: until it is there and warm, the server is not ready. It remains the caller's. */
  readonly model: GhostNet | Promise<GhostNet>;
  /** Options of its queue, which replace those of the server. */
  readonly pipeline?: QueueOptions;
}

/** Options of the queue of a model: those of a pipeline, without its output. A full queue is always told with 429. */
export type QueueOptions = Omit<PipelineOptions, 'output' | 'topK' | 'whenFull'>;

/** A `Registry` of prom-client, as far as a server needs it. */
export interface MetricsRegistry {
  readonly contentType: string;
  metrics(): Promise<string>;
  registerMetric(metric: never): void;
}

/** Models by their names, each of version 1, or a list with versions. */
export type ServedModels = Readonly<Record<string, GhostNet | Promise<GhostNet>>> | readonly ServedModel[];

/** Options of {@link createHandler}. */
export interface HandlerOptions {
  /** Options of the queue of each model. */
  readonly pipeline?: QueueOptions;
  /** The most bytes of a request's body, also after its decompression. Default 20,000,000. */
  readonly maxBodyBytes?: number;
  /** The most bytes of all bodies that are in memory; then 429. Default 256,000,000. */
  readonly maxBufferedBytes?: number;
  /** Requests need `Authorization: Bearer <token>`, but for the health of the server. Default: none. */
  readonly token?: string;
  /** Where the metrics of the models are registered. Default: a registry of its own, if prom-client is installed. */
  readonly registry?: MetricsRegistry;
  /** Whether `GET /` is a page for people. Default true. */
  readonly page?: boolean;
}

/** The options with their defaults. */
export interface HandlerSettings {
  readonly maxBodyBytes: number;
  readonly maxBufferedBytes: number;
  readonly token: string | undefined;
  readonly registry: MetricsRegistry | undefined;
  readonly page: boolean;
}

const handlerKeys = {
  pipeline: true,
  maxBodyBytes: true,
  maxBufferedBytes: true,
  token: true,
  registry: true,
  page: true,
} as const satisfies KeysOf<HandlerOptions>;

/** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
export function handlerSettings(given: HandlerOptions): HandlerSettings {
  const options = optionsOf(given, handlerKeys);
  checkNumber('maxBodyBytes', options.maxBodyBytes, 1);
  checkNumber('maxBufferedBytes', options.maxBufferedBytes, 1);
  checkFlag('page', options.page);
  const { token, registry, maxBodyBytes = 20_000_000 } = options;
  if (token !== undefined && (typeof token !== 'string' || !/^[\x21-\x7e]+$/.test(token))) {
    // The value is a secret.
    throw invalidArgument(
      'The option token cannot be a token',
      typeof token,
      'printable ASCII without spaces',
    );
  }
  if (
    registry !== undefined &&
    typeof (registry as Partial<MetricsRegistry> | null)?.registerMetric !== 'function'
  )
    throw invalidArgument('The option registry is none', registry, 'a Registry of prom-client');
  return {
    maxBodyBytes,
    maxBufferedBytes: Math.max(maxBodyBytes, options.maxBufferedBytes ?? 256_000_000),
    token,
    registry,
    page: options.page ?? true,
  };
}

/**
 * The models as a list, each with the options of its queue.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`
 */
export function servedModels(given: ServedModels, shared: QueueOptions = {}): Required<ServedModel>[] {
  checkObject('models', given);
  const list = Array.isArray(given)
    ? (given as readonly ServedModel[])
    : Object.entries(given as Readonly<Record<string, GhostNet>>).map(([name, model]) => ({ name, model }));
  if (list.length === 0) throw invalidArgument('There is no model to serve', given, 'at least one');
  const names = new Set<string>();
  return list.map((entry: ServedModel) => {
    const { name, version = '1', model, pipeline } = optionsOf(entry, modelKeys, 'models');
    for (const part of [name, version]) {
      checkText('name', part);
      if (!/^[\w.-]{1,200}$/.test(part))
        throw invalidArgument(
          'This cannot be the name or version of a model',
          part,
          'letters, digits, _ . -',
        );
    }
    checkObject('model', model);
    if (name === 'stats')
      throw invalidArgument(
        'This cannot be the name of a model',
        name,
        'another: /v2/models/stats is an address',
      );
    const key = `${name} ${version}`;
    if (names.has(key))
      throw invalidArgument('Two models have the same name and version', key, 'different ones');
    names.add(key);
    const queue = { ...shared, ...pipeline };
    checkQueue(queue);
    return { name, version, model, pipeline: queue };
  });
}

const modelKeys = {
  name: true,
  version: true,
  model: true,
  pipeline: true,
} as const satisfies KeysOf<ServedModel>;

/** Checks options before the model is there. */
function checkQueue(queue: QueueOptions): void {
  for (const name of ['output', 'topK', 'whenFull'] as const) {
    if (!Object.hasOwn(queue, name)) continue;
    throw invalidArgument(
      `The queue of a server has no option ${name}`,
      name,
      'the other options of a pipeline',
    );
  }
  pipelineSettings(queue, 1, decodeSettings({}));
}

/** Options of a server. */
export interface ServerOptions extends HandlerOptions {
  /** Default 8080; 0 takes a free one. */
  readonly port?: number;
  /** The address to listen at. Default `'127.0.0.1'`: this machine alone. */
  readonly host?: string;
  /** The port for gRPC; 0 takes a free one. Default: no gRPC. */
  readonly grpcPort?: number;
  /** Milliseconds for the head of a request. Default 10,000. */
  readonly headersTimeoutMs?: number;
  /** Milliseconds for a whole request to arrive. Default 30,000. */
  readonly requestTimeoutMs?: number;
  /** Milliseconds after which a connection without a request is closed. Default 65,000: longer than load balancers keep theirs. */
  readonly idleTimeoutMs?: number;
  /** The most connections. Default 4,096. */
  readonly maxConnections?: number;
  /** Milliseconds from `close()`, when readiness goes off, until no connection is accepted. Default 3,000. */
  readonly drainDelayMs?: number;
  /** Milliseconds from `close()` until what is still being computed is rejected. Default 25,000. */
  readonly graceMs?: number;
}

/** The options with their defaults. */
export type ServerSettings = Required<Omit<ServerOptions, keyof HandlerOptions | 'grpcPort'>> & {
  readonly grpcPort: number | undefined;
  /** Those of the handler, as they were given. */
  readonly ofHandler: HandlerOptions;
};

const serverKeys = {
  ...handlerKeys,
  port: true,
  host: true,
  grpcPort: true,
  headersTimeoutMs: true,
  requestTimeoutMs: true,
  idleTimeoutMs: true,
  maxConnections: true,
  drainDelayMs: true,
  graceMs: true,
} as const satisfies KeysOf<ServerOptions>;

/** @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT` */
export function serverSettings(given: ServerOptions): ServerSettings {
  const options = optionsOf(given, serverKeys);
  checkNumber('port', options.port, 0, 65_535);
  checkNumber('grpcPort', options.grpcPort, 0, 65_535);
  checkNumber('maxConnections', options.maxConnections, 1);
  if (options.host !== undefined) checkText('host', options.host);
  for (const name of ['headersTimeoutMs', 'requestTimeoutMs', 'idleTimeoutMs'] as const)
    checkNumber(name, options[name], 1, longestTimer);
  for (const name of ['drainDelayMs', 'graceMs'] as const) checkNumber(name, options[name], 0, longestTimer);
  const { drainDelayMs = 3_000, graceMs = 25_000 } = options;
  // Unless only one is given: then the other gives way.
  if (options.drainDelayMs !== undefined && options.graceMs !== undefined && drainDelayMs > graceMs)
    throw invalidArgument(
      'The option drainDelayMs is longer than graceMs',
      drainDelayMs,
      `at most ${graceMs}`,
    );
  const { requestTimeoutMs = 30_000 } = options;
  return {
    port: options.port ?? 8080,
    host: options.host ?? '127.0.0.1',
    grpcPort: options.grpcPort,
    // The head is a part of the request; Node throws if it may take longer.
    headersTimeoutMs: Math.min(options.headersTimeoutMs ?? 10_000, requestTimeoutMs),
    requestTimeoutMs,
    idleTimeoutMs: options.idleTimeoutMs ?? 65_000,
    maxConnections: options.maxConnections ?? 4_096,
    drainDelayMs,
    graceMs: Math.max(graceMs, options.graceMs ?? drainDelayMs),
    ofHandler: Object.fromEntries(
      Object.entries(options).filter(([name]) => Object.hasOwn(handlerKeys, name)),
    ),
  };
}
