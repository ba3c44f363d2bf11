import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { debuglog } from 'node:util';
import { isMainThread } from 'node:worker_threads';

import { findBinary, type BuiltWith, type NativeBinary } from './binary.js';
import { errorCatalogue, GhostNetError, type ErrorCode } from './errors.js';
import { linkerFault } from './linker.js';
import { findLibTorch, versionAt, type LibTorch } from './libtorch.js';
import type { Precision } from './precision.js';
import { faultOf, thisSystem } from './system.js';

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
  readonly precision: Precision;
}

/** Where it is computed; see native/engine/network.h. */
export interface NativePlacement {
  /** The number of the GPU; the CPU when left out. */
  readonly gpu: number;
}

/** A GPU of this machine; see native/engine/cuda/library.h. */
export interface NativeGpu {
  readonly name: string;
  /** Its compute capability, "9.0" for example. */
  readonly capability: string;
  /** Whether the kernels can run on it. */
  readonly isSupported: boolean;
  /** In bytes. */
  readonly memory: number;
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
    options: Given<NativeTransform & NativeArchitecture & NativeBackend & NativePlacement>,
  ): Promise<NativeModel>;
  inspect(
    ticket: Ticket,
    arrays: readonly (NativeBytes & { readonly name: string })[],
    options: Given<NativeArchitecture>,
  ): Promise<NativeInspection>;
  createModel(
    ticket: Ticket,
    options: Given<
      NativeTransform & NativeArchitecture & NativeBackend & NativePlacement & { readonly seed: number }
    >,
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
  /** @param library path of the part for GPUs, empty where there is none */
  listGpus(library: string): NativeGpu[];
  newTicket(): Ticket;
  abort(ticket: Ticket, reason: unknown): boolean;
  setErrorFactory(
    factory: (code: string, what: string, found?: string, expected?: string) => GhostNetError,
  ): void;
  runtime(): NativeRuntime;
  stop(): void;
}

/** See native/loader/loader.c. */
interface NativeLoader {
  open(paths: readonly string[]): { path: string; reason: string } | undefined;
  loaded(name: string): string | undefined;
}

const debug = debuglog('ghostnet');
const require = createRequire(import.meta.url);

function open(path: string): unknown {
  try {
    return require(path);
  } catch (cause) {
    throw linkerFault(
      `The native binary ${path}`,
      cause instanceof Error ? cause.message : String(cause),
      cause,
    );
  }
}

// Libraries are opened once in a process. Where another copy of this package, or another package, has opened LibTorch from
// another folder, that one is used if it is of the right version.
function openLibTorch(loader: NativeLoader, libtorch: LibTorch, { version }: BuiltWith): LibTorch {
  for (const path of libtorch.libraries) {
    const loaded = loader.loaded(basename(path));
    if (loaded === undefined || realpathSync(loaded) === realpathSync(path)) continue;
    const root = dirname(dirname(loaded));
    const found = versionAt(root);
    if (found === version) return { ...libtorch, root };
    throw new GhostNetError('GHOSTNET_LIBTORCH_CONFLICT', 'The process has another LibTorch open', {
      found: `LibTorch ${found ?? 'of an unknown version'} at ${root}`,
      expected: `LibTorch ${version}, at ${libtorch.root} for example`,
    });
  }
  const failure = loader.open(libtorch.libraries);
  if (failure !== undefined) throw linkerFault(`LibTorch's ${failure.path}`, failure.reason);
  return libtorch;
}

function load(): { addon: NativeAddon; binary: NativeBinary; libtorch: LibTorch } {
  const binary = findBinary();
  try {
    return { binary, ...loadWith(binary) };
  } catch (error) {
    // A binary that was built on this system runs on it, whatever else it lacks.
    throw (binary.prebuilt ? faultOf(thisSystem()) : undefined) ?? error;
  }
}

function loadWith(binary: NativeBinary): { addon: NativeAddon; libtorch: LibTorch } {
  const found = findLibTorch(binary.built);
  debug('opening LibTorch %s at %s (%s)', found.version, found.root, found.from);
  calmOpenMP();
  const loader = open(join(binary.folder, 'ghostnet_loader.node')) as NativeLoader;
  const libtorch = openLibTorch(loader, found, binary.built);
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
  return { addon, libtorch };
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
 * @throws {@link GhostNetError} `GHOSTNET_UNSUPPORTED_PLATFORM`, `GHOSTNET_UNSUPPORTED_LIBC`, `GHOSTNET_SYSTEM_TOO_OLD`,
 * `GHOSTNET_LIBTORCH_NOT_INSTALLED`, `GHOSTNET_LIBTORCH_NOT_FOUND`, `GHOSTNET_LIBTORCH_VERSION`,
 * `GHOSTNET_LIBTORCH_CONFLICT`, `GHOSTNET_LIBRARY_MISSING`, `GHOSTNET_ADDON_NOT_FOUND`, `GHOSTNET_ADDON_UNLOADABLE`
 */
export function native(): NativeAddon {
  return nativeParts().addon;
}

/** As {@link native}, with where its parts were found. */
export function nativeParts(): ReturnType<typeof load> {
  loaded ??= load();
  return loaded;
}
