import { checkNumber, copyOf, optionsOf, type KeysOf } from '../check/option.js';
import type { NativeTensor } from '../native/addon.js';
import { runJob, runKeys, type RunOptions } from '../native/jobs.js';
import { native } from '../native/load.js';
import { handleOf, tensorOf, type Tensor } from '../tensor.js';

/** The weights of a ghost module, with its batch normalisations folded in. */
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
export interface GhostModuleOptions extends RunOptions {
  /** Output channels, to which the concatenation is cut. Default: all that the weights compute. */
  readonly outChannels?: number;
  /** Stride of the primary convolution, at least 1. Default 1. */
  readonly stride?: number;
  /** Whether a ReLU follows each of the two convolutions. Default true. */
  readonly relu?: boolean;
  /** Threads of the run, 1 to 256. Default: as for a model. */
  readonly threads?: number;
}

const moduleKeys = {
  ...runKeys,
  outChannels: true,
  stride: true,
  relu: true,
  threads: true,
} as const satisfies KeysOf<GhostModuleOptions>;

/**
 * Runs one ghost module (arXiv 1911.11907, section 3.1): a primary convolution computes the intrinsic maps, a cheap depthwise
 * operation computes the ghosts of each map, and both are concatenated. The work is done by the operator
 * `ghostnet::ghost_module`, registered with LibTorch.
 *
 * @param x - float32 [N,C,H,W]
 * @param weights - folded, or the state dict of a PyTorch GhostModule (`primary_conv.0.weight`, `primary_conv.1.*`,
 * `cheap_operation.0.weight`, `cheap_operation.1.*`), which is folded first
 * @returns float32 [N,outChannels,H',W']
 * @throws {@link GhostNetError} `GHOSTNET_PARAMETERS_MISMATCH` if weights are missing or do not fit together,
 * `GHOSTNET_INVALID_ARGUMENT`, `GHOSTNET_BAD_SHAPE`, `GHOSTNET_BAD_DTYPE`, `GHOSTNET_DISPOSED`, `GHOSTNET_ABORTED`
 */
export async function ghostModule(
  x: Tensor<'float32'>,
  weights: FoldedGhostModule | Readonly<Record<string, Tensor>>,
  given: GhostModuleOptions = {},
): Promise<Tensor<'float32', readonly [number, number, number, number]>> {
  const tensors = copyOf('weights', weights);
  const options = optionsOf(given, moduleKeys);
  const { defaultThreads, maxThreads } = native().runtime();
  const { outChannels, stride = 1, relu = true, threads = defaultThreads } = options;
  checkNumber('outChannels', outChannels, 1);
  checkNumber('stride', stride, 1);
  checkNumber('threads', threads, 1, maxThreads);
  const handles: Record<string, NativeTensor> = {};
  for (const [name, tensor] of Object.entries<unknown>({ ...tensors }))
    handles[name] = handleOf(tensor, `The weight ${name}`);
  const input = handleOf(x, 'The input');
  return tensorOf(
    await runJob(options, (ticket) =>
      native().ghostModule(ticket, input, handles, { outChannels, stride, relu, threads }),
    ),
  );
}
