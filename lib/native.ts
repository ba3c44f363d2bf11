import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debuglog } from 'node:util';
import { isMainThread } from 'node:worker_threads';

import { errorCatalogue, GhostNetError, type ErrorCode } from './errors.js';
import { findLibTorch, librariesOf, type BuiltWith, type LibTorch } from './libtorch.js';

/** The dtypes that arrays have on the native side. */
export type NativeDType =
  'float64' | 'float32' | 'float16' | 'bfloat16' | 'int64' | 'int32' | 'int16' | 'int8' | 'uint8' | 'bool';

/** A tensor's memory; see native/addon/tensor_handle.h. */
export interface NativeTensor {
  readonly dtype: NativeDType;
  readonly shape: readonly number[];
  readonly buffer: ArrayBuffer;
  dispose(): void;
}

/** Bytes of JavaScript's own that native code reads while a job is pending. */
export interface NativeBytes {
  readonly dtype: NativeDType;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

/** How a photograph becomes the input of a network; see native/engine/transform.h. */
export interface NativeTransform {
  readonly inputSize: number;
  readonly crop: number;
  readonly interpolation: 'bilinear' | 'bicubic';
  readonly mean: readonly [number, number, number];
  readonly std: readonly [number, number, number];
}

/** One row of the stage table: kernel, expansion, out, squeeze-and-excitation ratio, stride. */
export type StageRow = readonly [
  kernel: number,
  expansion: number,
  out: number,
  seRatio: number,
  stride: number,
];

export interface NativeDescription extends NativeTransform {
  readonly variant: string;
  readonly width: number;
  readonly stages: readonly (readonly StageRow[])[];
  readonly numClasses: number;
  readonly dropout: number;
  readonly features: number;
  readonly parameters: number;
  readonly multiplyAdds: number;
}

export interface NativeLayer {
  readonly name: string;
  readonly type: string;
  readonly detail: string;
  readonly output: readonly [channels: number, height: number, width: number];
  readonly parameters: number;
  readonly multiplyAdds: number;
}

/** Options that are left out take the defaults of the native side. */
export type Given<T> = { readonly [K in keyof T]?: T[K] | undefined };

export interface NativeArchitecture {
  readonly variant: string;
  readonly stages: readonly (readonly StageRow[])[];
  readonly width: number;
  readonly numClasses: number;
  readonly dropout: number;
}

/** What computes; see native/engine/network.h. */
export interface NativeBackend {
  readonly backend: 'fused' | 'reference';
}

/** Names a job, so that it can be aborted. */
export type Ticket = number;

/** A network; see native/addon/model_handle.h. */
export interface NativeModel {
  describe(): NativeDescription;
  layers(height: number, width: number): NativeLayer[];
  run(
    ticket: Ticket,
    input: NativeTensor,
    output: 'logits' | 'features',
    threads: number,
  ): Promise<NativeTensor>;
  classify(
    ticket: Ticket,
    images: readonly NativeBytes[],
    topK: number,
    threads: number,
  ): Promise<{ index: number; score: number }[][]>;
  prepare(ticket: Ticket, images: readonly NativeBytes[], threads: number): Promise<NativeTensor>;
  state(ticket: Ticket): Promise<[name: string, array: NativeTensor][]>;
  dispose(): void;
}

/** What can be said of the arrays of a checkpoint; see native/engine/inspect.h. */
export interface NativeInspection {
  /** Nothing when the arrays are no GhostNet's: `reason` says why then. */
  readonly variant?: string;
  readonly width?: number;
  readonly numClasses?: number;
  readonly reason?: string;
  readonly missing: readonly string[];
  readonly reshaped: readonly string[];
  readonly unexpected: readonly string[];
  readonly notFinite: readonly string[];
}

export interface NativeRuntime {
  readonly libtorch: string;
  readonly cpuCapability: string;
  readonly defaultThreads: number;
  readonly maxThreads: number;
}

/** Everything that the .node exports: the only place where the TypeScript side names it. */
export interface NativeAddon {
  readonly NativeTensor: new (
    dtype: NativeDType,
    shape: readonly number[],
    source?: ArrayBufferView,
  ) => NativeTensor;
  loadModel(
    ticket: Ticket,
    arrays: readonly (NativeBytes & { readonly name: string })[],
    options: Given<NativeTransform & NativeArchitecture & NativeBackend>,
  ): Promise<NativeModel>;
  inspect(
    ticket: Ticket,
    arrays: readonly (NativeBytes & { readonly name: string })[],
    options: Given<NativeArchitecture>,
  ): Promise<NativeInspection>;
  createModel(
    ticket: Ticket,
    options: Given<NativeTransform & NativeArchitecture & NativeBackend & { readonly seed: number }>,
  ): Promise<NativeModel>;
  ghostModule(
    ticket: Ticket,
    x: NativeTensor,
    weights: Readonly<Record<string, NativeTensor>>,
    options: { outChannels: number | undefined; stride: number; relu: boolean; threads: number },
  ): Promise<NativeTensor>;
  nullRun(ticket: Ticket, input: NativeTensor): Promise<NativeTensor>;
  /** Multiply-adds a second. */
  measurePeak(ticket: Ticket, threads: number): Promise<number>;
  newTicket(): Ticket;
  abort(ticket: Ticket, reason: unknown): boolean;
  setErrorFactory(
    factory: (code: string, what: string, found?: string, expected?: string) => GhostNetError,
  ): void;
  runtime(): NativeRuntime;
  stop(): void;
}

interface NativeLoader {
  open(paths: readonly string[]): { path: string; reason: string } | undefined;
}

const debug = debuglog('ghostnet');
const require = createRequire(import.meta.url);
const packageRoot = dirname(dirname(fileURLToPath(import.meta.url)));

/** A native binary and what it was built with. */
export interface NativeBinary {
  readonly folder: string;
  readonly addon: string;
  readonly built: BuiltWith;
}

/**
 * Finds the native binary: the one that GHOSTNET_BINARY names, the build of a clone, the prebuilt one of this platform.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ADDON_NOT_FOUND`
 */
export function findBinary(): NativeBinary {
  const named = process.env.GHOSTNET_BINARY;
  const prebuilt = join(packageRoot, 'prebuilds', `${process.platform}-${process.arch}`, 'ghostnet.node');
  const candidates =
    named === undefined || named === ''
      ? [join(packageRoot, 'build', 'Release', 'ghostnet.node'), prebuilt]
      : [named];
  const addon = candidates.find((path) => existsSync(path));
  if (addon === undefined) {
    throw new GhostNetError(
      'GHOSTNET_ADDON_NOT_FOUND',
      `There is no native binary for ${process.platform}-${process.arch}`,
      { found: `none of ${candidates.join(', ')}` },
    );
  }
  const folder = dirname(addon);
  return { folder, addon, built: builtWith(folder) };
}

function builtWith(folder: string): BuiltWith {
  const record = join(folder, 'libtorch.json');
  if (existsSync(record)) return JSON.parse(readFileSync(record, 'utf8')) as BuiltWith;
  // A prebuilt binary is made with the pin, and with nothing else.
  const manifest = JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as {
    libtorch: { version: string };
  };
  return { version: manifest.libtorch.version };
}

function open(path: string): unknown {
  try {
    return require(path);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new GhostNetError('GHOSTNET_ADDON_UNLOADABLE', `The native binary ${path} can not be opened`, {
      found: reason,
      cause,
    });
  }
}

function load(): { addon: NativeAddon; binary: NativeBinary; libtorch: LibTorch } {
  const binary = findBinary();
  const libtorch = findLibTorch(binary.built);
  debug('opening LibTorch %s at %s (%s)', libtorch.version, libtorch.root, libtorch.from);
  calmOpenMP();
  const loader = open(join(binary.folder, 'ghostnet_loader.node')) as NativeLoader;
  const failure = loader.open(librariesOf(libtorch));
  if (failure !== undefined) {
    throw new GhostNetError('GHOSTNET_ADDON_UNLOADABLE', `LibTorch's ${failure.path} can not be opened`, {
      found: failure.reason,
    });
  }
  debug('opening %s', binary.addon);
  const addon = open(binary.addon) as NativeAddon;
  addon.setErrorFactory((code, what, found, expected) => {
    const known: ErrorCode = code in errorCatalogue ? (code as ErrorCode) : 'GHOSTNET_INTERNAL';
    return new GhostNetError(known, what, {
      ...(found === undefined ? {} : { found }),
      ...(expected === undefined ? {} : { expected }),
    });
  });
  // A run that goes on while the process's static data is destroyed would crash it: wait for it, and let no other begin. Worker
  // threads are waited for by their own environment.
  if (isMainThread) {
    process.once('exit', () => {
      addon.stop();
    });
  }
  return { addon, binary, libtorch };
}

// LibTorch's OpenMP threads wait for each other by spinning, 300,000 rounds unless told otherwise. On a machine whose
// processors are busy the one they wait for does not run meanwhile, and a run takes ten times as long. A short spin costs an
// idle machine nothing measurable. Read once, when the library is opened.
function calmOpenMP(): void {
  if (process.env.OMP_WAIT_POLICY === undefined) process.env.GOMP_SPINCOUNT ??= '1000';
}

let loaded: ReturnType<typeof load> | undefined;

/**
 * The native side, opened on first use so that importing the package costs nothing.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ADDON_NOT_FOUND`, `GHOSTNET_ADDON_UNLOADABLE`, `GHOSTNET_LIBTORCH_NOT_FOUND`,
 * `GHOSTNET_LIBTORCH_VERSION`
 */
export function native(): NativeAddon {
  return nativeParts().addon;
}

/** As {@link native}, with where its parts were found. */
export function nativeParts(): ReturnType<typeof load> {
  loaded ??= load();
  return loaded;
}
