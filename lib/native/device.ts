import { invalidArgument } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import type { NativeGpu } from './addon.js';
import { findGpuLibrary } from './binary.js';
import { native } from './load.js';

/**
 * Where a network runs: `'cpu'`; `'cuda'`, the first NVIDIA GPU; `'cuda:1'`, the second; `'auto'`, the first GPU if it can be
 * used, else the CPU.
 */
export type Device = 'cpu' | 'cuda' | `cuda:${number}` | 'auto';

/** The place where a model runs. */
export interface Placement {
  readonly device: 'cpu' | `cuda:${number}`;
  /** The number of the GPU; undefined for the CPU. */
  readonly gpu: number | undefined;
}

const onCpu: Placement = { device: 'cpu', gpu: undefined };

/**
 * The GPUs of this machine.
 *
 * @throws {@link GhostNetError} `GHOSTNET_CUDA_NOT_INSTALLED`, `GHOSTNET_CUDA_UNAVAILABLE`
 */
export function listGpus(): readonly NativeGpu[] {
  const { library, candidates } = findGpuLibrary();
  try {
    return native().listGpus(library ?? '');
  } catch (error) {
    if (library !== undefined || !(error instanceof GhostNetError)) throw error;
    throw new GhostNetError(error.code, error.what, { found: `none of ${candidates.join(', ')}` });
  }
}

let warned = false;

// Once per process: a program that passes 'auto' may do so for every model.
function warn(reason: GhostNetError): void {
  if (warned) return;
  warned = true;
  process.emitWarning(`No GPU can be used, so the model runs on the CPU. ${reason.message}`, {
    type: 'GhostNetWarning',
    code: reason.code,
  });
}

function onGpu(gpu: number): Placement {
  const gpus = listGpus();
  const found = gpus[gpu];
  if (found === undefined) {
    throw new GhostNetError('GHOSTNET_CUDA_UNAVAILABLE', `There is no GPU cuda:${gpu}`, {
      found: gpus.map(({ name }, index) => `cuda:${index}, ${name}`).join('; '),
      expected: gpus.length === 1 ? 'cuda:0' : `cuda:0 to cuda:${gpus.length - 1}`,
    });
  }
  if (!found.isSupported) {
    throw new GhostNetError('GHOSTNET_CUDA_UNSUPPORTED', 'The GPU is too old for the kernels', {
      found: `${found.name} of compute capability ${found.capability}`,
      expected: 'compute capability 8.0 or later',
    });
  }
  return { device: `cuda:${gpu}`, gpu };
}

/**
 * The place where a model with the option `device` runs.
 *
 * @throws {@link GhostNetError} `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_CUDA_NOT_INSTALLED`, `GHOSTNET_CUDA_UNAVAILABLE`,
 * `GHOSTNET_CUDA_UNSUPPORTED`
 */
export function placementFor(device: unknown = 'cpu'): Placement {
  if (device === 'cpu') return onCpu;
  if (device === 'auto') {
    try {
      return onGpu(0);
    } catch (error) {
      if (!(error instanceof GhostNetError)) throw error;
      warn(error);
      return onCpu;
    }
  }
  const match = typeof device === 'string' ? /^cuda(?::(\d{1,3}))?$/.exec(device) : null;
  if (match === null) {
    throw invalidArgument('The device is unknown', device, "'cpu', 'cuda', 'cuda:0' and so on, or 'auto'");
  }
  return onGpu(Number(match[1] ?? 0));
}
