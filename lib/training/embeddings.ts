import { GhostNetError } from '../errors.js';
import type { DecodeOptions, DecodeSettings } from '../image/options.js';
import { native } from '../native/load.js';
import { unreadable } from './dataset.js';
import { cacheName, EmbeddingCache, type CachePlace } from './embedding-cache.js';
import type { NamedSample, PassOptions } from './samples.js';
import type { SourceNetwork } from './types.js';

/** Embeddings by the hashes of their images. */
export type Embeddings = ReadonlyMap<string, Float32Array>;

/** How embeddings are computed. */
export interface EmbeddingOptions extends PassOptions {
  readonly decode: DecodeSettings;
  /** A fingerprint of the network. */
  readonly fingerprint: string;
  /** Where they are kept; undefined if they are not. */
  readonly cache: CachePlace | undefined;
}

/** New embeddings that are kept together: 10 MB. What a killed training has computed is lost only from the last ones on. */
const perSegment = 2048;

/**
 * The embeddings of images, each content once: those that are kept from disk, the others by the network. An image that cannot be
 * decoded is told of, under each of its names, and left out.
 *
 * @throws {@link GhostNetError} `GHOSTNET_ABORTED`, `GHOSTNET_OUT_OF_MEMORY`, `GHOSTNET_DISPOSED`
 */
export async function embedSamples(
  network: SourceNetwork,
  samples: readonly NamedSample[],
  options: EmbeddingOptions,
): Promise<Embeddings> {
  const { decode, cache: place, signal, warn, onDone } = options;
  const byKey = new Map<string, NamedSample[]>();
  for (const sample of samples) {
    const others = byKey.get(sample.key);
    if (others === undefined) byKey.set(sample.key, [sample]);
    else others.push(sample);
  }
  const cache = place && new EmbeddingCache(place, nameFor(network, options), network.info.features);
  const embeddings = (await cache?.read(new Set(byKey.keys()))) ?? new Map<string, Float32Array>();
  let fresh = new Map<string, Float32Array>();
  let isKept = cache !== undefined;
  const keep = async (): Promise<void> => {
    try {
      if (isKept) await cache?.add(fresh);
    } catch (error) {
      isKept = false;
      const name = place?.root ?? '';
      const message = `${name}: embeddings cannot be kept, so the next training computes them again: ${String(error)}`;
      warn({ kind: 'cache', name, message, code: 'GHOSTNET_CACHE_UNWRITABLE' });
    }
    fresh = new Map();
  };
  const missing = [...byKey].filter(([key]) => !embeddings.has(key)).map(([, [first]]) => imageOf(first));
  let done = byKey.size - missing.length;
  onDone?.(done, byKey.size);
  await using pipeline = network.pipeline({ ...(decode as DecodeOptions), output: 'embed', maxBatch: 32 });
  for await (const { input, result, error } of pipeline.stream(
    missing,
    signal === undefined ? {} : { signal },
  )) {
    const { key } = input.sample;
    done += 1;
    onDone?.(done, byKey.size);
    if (error !== undefined) {
      if (!isOfImage(error)) throw error;
      for (const { name } of byKey.get(key) ?? []) warn(unreadable(name, error));
      continue;
    }
    embeddings.set(key, result);
    fresh.set(key, result);
    if (fresh.size >= perSegment) await keep();
  }
  await keep();
  return embeddings;
}

function imageOf(sample: NamedSample | undefined): { image: string; sample: NamedSample } {
  if (sample === undefined) throw new GhostNetError('GHOSTNET_INTERNAL', 'A content has no sample');
  return { image: sample.path, sample };
}

const ofOthers = new Set([
  'GHOSTNET_OUT_OF_MEMORY',
  'GHOSTNET_OUT_OF_THREADS',
  'GHOSTNET_DISPOSED',
  'GHOSTNET_INTERNAL',
]);

/** Whether an error is the fault of the image, and not one that all others would meet. */
export function isOfImage({ code }: GhostNetError): boolean {
  return !ofOthers.has(code);
}

/** All that decides what an embedding is, bit by bit. */
function nameFor({ info }: SourceNetwork, { fingerprint, decode }: EmbeddingOptions): string {
  const { colorProfile, decode: how, decoder, documents } = decode;
  const { cpuCapability, libtorch } = native().runtime();
  const processor = info.device === 'cpu' ? cpuCapability : 'cuda';
  return cacheName([
    fingerprint,
    info.precision,
    processor,
    libtorch,
    process.env.GHOSTNET_CPU_CAPABILITY ?? '',
    colorProfile,
    how,
    decoder,
    String(documents),
  ]);
}
