import { GhostNetError } from './errors.js';
import { runJob } from './jobs.js';
import { native, type NativeTensor } from './native.js';
import { Tensor } from './tensor.js';

/** The weights of a ghost module with its batch normalisations folded in. */
export interface FoldedGhostModule {
  /** [I,C,k,k], k odd: the primary convolution, padded by (k-1)/2. */
  readonly primary_weight: Tensor<'float32'>;
  /** [I] */
  readonly primary_bias: Tensor<'float32'>;
  /** [I*(ratio-1),1,d,d], d odd: the cheap operation, depthwise, padded by (d-1)/2. */
  readonly cheap_weight: Tensor<'float32'>;
  /** [I*(ratio-1)] */
  readonly cheap_bias: Tensor<'float32'>;
}

/** Options of {@link ghostModule}. */
export interface GhostModuleOptions {
  /** Channels out; the concatenation is cut to this many. Default: all that the weights make. */
  readonly outChannels?: number;
  /** Of the primary convolution, 1 or more. Default 1. */
  readonly stride?: number;
  /** Whether both convolutions are followed by a ReLU. Default true. */
  readonly relu?: boolean;
  /** Threads of the run. Default as for a model. */
  readonly threads?: number;
  /** Drops the call while it waits. */
  readonly signal?: AbortSignal;
}

/**
 * Runs one ghost module (arXiv 1911.11907, section 3.1): a primary convolution makes the intrinsic maps, a cheap depthwise
 * operation makes the ghosts of each, both are concatenated. It is the operator `ghostnet::ghost_module` of LibTorch.
 *
 * @param x - float32 [N,C,H,W]
 * @param weights - folded, or the state dict of a PyTorch GhostModule (`primary_conv.0.weight`, `primary_conv.1.*`,
 * `cheap_operation.0.weight`, `cheap_operation.1.*`), which is folded first
 * @returns float32 [N,outChannels,H',W']
 * @throws {@link GhostNetError} `GHOSTNET_PARAMETERS_MISMATCH` when weights are missing or do not fit each other,
 * `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`
 */
export async function ghostModule(
  x: Tensor<'float32'>,
  weights: FoldedGhostModule | Readonly<Record<string, Tensor>>,
  options: GhostModuleOptions = {},
): Promise<Tensor<'float32', readonly [number, number, number, number]>> {
  const {
    outChannels,
    stride = 1,
    relu = true,
    threads = native().runtime().defaultThreads,
    signal,
  } = options;
  const { maxThreads } = native().runtime();
  for (const [name, value, most] of [
    ['outChannels', outChannels ?? 1, Number.MAX_SAFE_INTEGER],
    ['stride', stride, Number.MAX_SAFE_INTEGER],
    ['threads', threads, maxThreads],
  ] as const) {
    if (!Number.isSafeInteger(value) || value < 1 || value > most) {
      throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `The option ${name} is out of range`, {
        found: String(value),
        expected: `a whole number from 1 to ${most}`,
      });
    }
  }
  const handles: Record<string, NativeTensor> = {};
  for (const [name, tensor] of Object.entries(weights))
    handles[name] = handleOf(tensor, `The weight ${name}`);
  const input = handleOf(x, 'The input');
  const result = await runJob(signal, (ticket) =>
    native().ghostModule(ticket, input, handles, { outChannels, stride, relu, threads }),
  );
  return Tensor.wrap(result);
}

function handleOf(tensor: unknown, what: string): NativeTensor {
  if (tensor instanceof Tensor) return Tensor.handleOf(tensor as Tensor);
  throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `${what} is not a Tensor`, {
    found: tensor === null ? 'null' : typeof tensor,
    expected: 'a Tensor',
    remedy: 'Make one with Tensor.from(values, shape).',
  });
}
