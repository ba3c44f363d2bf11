import { prepareImage } from '../image/prepare.js';
import { defaultDecode } from '../image/options.js';
import type { NativeModel } from '../native/addon.js';
import type { PixelStore } from './pixel-store.js';
import type { Sample } from './types.js';

/** How {@link storePictures} goes about it. */
export interface StoringOptions {
  /** How many pictures are decoded at a time. */
  readonly decoders: number;
  /** Called for each that was decoded. */
  readonly onPicture?: () => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Decodes pictures into a store, several at a time.
 *
 * @param model - whose transform makes them square
 * @throws {@link GhostNetError} that of the first picture that cannot be decoded, and `GHOSTNET_ABORTED`
 */
export async function storePictures(
  model: NativeModel,
  samples: readonly Sample[],
  store: PixelStore,
  { decoders, onPicture, signal }: StoringOptions,
): Promise<void> {
  // One iterator for all, each of which takes the next picture.
  const left = samples.entries();
  let hasFailed = false;
  const decode = async (): Promise<void> => {
    for (const [index, { path }] of left) {
      if (hasFailed) return;
      try {
        const { input } = await prepareImage(model, path, { path }, defaultDecode, signal);
        await store.set(index, new Uint8Array(input.buffer)).finally(() => {
          input.dispose();
        });
        onPicture?.();
      } catch (error) {
        hasFailed = true;
        throw error;
      }
    }
  };
  const settled = await Promise.allSettled(Array.from({ length: decoders }, decode));
  for (const result of settled) if (result.status === 'rejected') throw result.reason;
}
