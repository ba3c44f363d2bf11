/**
 * Calls `work` for each file that `next` returns, `count` at a time, until it returns undefined.
 *
 * @param {() => string | undefined} next
 * @param {number} count
 * @param {(file: string) => Promise<unknown>} work
 * @returns {Promise<number>} the number of files
 */
export async function inParallel(next, count, work) {
  let files = 0;
  const one = async () => {
    for (let file = next(); file !== undefined; file = next()) {
      await work(file);
      files++;
    }
  };
  await Promise.all(Array.from({ length: count }, one));
  return files;
}

/**
 * Decodes ahead while batches are computed, in the order of the files.
 *
 * @template T
 * @param {() => string | undefined} next
 * @param {{ batch: number, ahead: number, decode: (file: string) => Promise<T>, compute: (images: T[]) => Promise<unknown> }} how
 * `ahead` is the number of images that are decoded or wait
 * @returns {Promise<number>} the number of images
 */
export async function overlapped(next, { batch, ahead, decode, compute }) {
  const waiting = [];
  let images = 0;
  const refill = () => {
    while (waiting.length < ahead) {
      const file = next();
      if (file === undefined) return;
      waiting.push(decode(file));
    }
  };
  for (refill(); waiting.length > 0; refill()) {
    const ready = await Promise.all(waiting.splice(0, batch));
    // Before the computation, which may block this thread.
    refill();
    await compute(ready);
    images += ready.length;
  }
  return images;
}

/** The next files, at most `count`; fewer at the end, none after it. */
export function take(next, count) {
  const files = [];
  while (files.length < count) {
    const file = next();
    if (file === undefined) break;
    files.push(file);
  }
  return files;
}

/** A list as the files of a turn. */
export function each(files) {
  const rest = files.values();
  return () => rest.next().value;
}
