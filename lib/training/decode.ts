import { GhostNetError } from '../errors.js';
import { unreadable } from './dataset.js';
import { isOfImage, type Embeddings } from './embeddings.js';
import { eachAtOnce, type NamedSample, type PassOptions } from './samples.js';
import type { SourceNetwork } from './types.js';

/**
 * Decodes all images once, so that broken ones are told before the first epoch.
 *
 * @returns the contents that can be decoded, without embeddings
 * @throws {@link GhostNetError} `GHOSTNET_ABORTED`, `GHOSTNET_OUT_OF_MEMORY`, `GHOSTNET_DISPOSED`
 */
export async function decodeSamples(
  network: SourceNetwork,
  samples: readonly NamedSample[],
  { signal, warn, onDone }: PassOptions,
): Promise<Embeddings> {
  const decoded = new Map<string, Float32Array>();
  let done = 0;
  await eachAtOnce(samples, 2 * network.info.threads + 2, async ({ name, path, key }) => {
    try {
      const input = await network.preprocess(path, signal === undefined ? {} : { signal });
      input.dispose();
      decoded.set(key, none);
    } catch (error) {
      signal?.throwIfAborted();
      if (!(error instanceof GhostNetError) || !isOfImage(error)) throw error;
      warn(unreadable(name, error));
    }
    done += 1;
    onDone?.(done, samples.length);
  });
  return decoded;
}

const none = new Float32Array(0);
