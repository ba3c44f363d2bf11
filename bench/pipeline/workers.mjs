import { Worker } from 'node:worker_threads';

const file = new URL('worker.mjs', import.meta.url);

/** Files that a worker has at a time, besides two batches: so that its thread pool does not wait for names. */
const ahead = 4;

/**
 * Worker threads, each with a classifier of its own. They share libuv's thread pool, in which sharp decodes.
 *
 * @param {object} network as of openClassifier
 * @param {{ workers: number, batch: number }} settings
 */
export async function openWorkers(network, settings) {
  const workers = Array.from({ length: settings.workers }, () => {
    const worker = new Worker(file, { workerData: { network, settings } });
    worker.on('error', (error) => {
      throw error;
    });
    return worker;
  });
  await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('message', resolve))));
  // The process ends with its stdin, though its workers wait for more.
  for (const worker of workers) worker.unref();

  /** Hands out files until `next` has none; `use` gets what the workers reply. */
  const handOut = (next, chosen, wanted, use) =>
    Promise.all(
      chosen.map(
        (worker) =>
          new Promise((resolve) => {
            let more = true;
            const send = (count) => {
              for (; count > 0 && more; count--) {
                const file = next();
                more = file !== undefined;
                worker.postMessage({ file, wanted });
              }
            };
            worker.on('message', function receive({ done, logits, ended }) {
              if (ended) {
                worker.off('message', receive);
                resolve();
                return;
              }
              use(done, logits);
              send(done);
            });
            send(2 * settings.batch + ahead);
          }),
      ),
    );

  return {
    /** Classifies files, @returns their number. */
    async run(next) {
      let images = 0;
      await handOut(next, workers, 'best', (done) => (images += done));
      return images;
    },
    /** The logits of each file. */
    async logits(files) {
      const rows = [];
      const rest = files.values();
      await handOut(
        () => rest.next().value,
        workers.slice(0, 1),
        'logits',
        (_, logits) => rows.push(...logits),
      );
      return rows;
    },
  };
}
