// What the pipeline promises, each promise measured in processes of its own. A check returns its figures in words, and what is wrong
// with them: nothing, if the promise is kept.
import { join } from 'node:path';

import { measure, runChild } from './child.mjs';

const mb = (number) => `${number.toFixed(0)} MB`;
const ms = (number) => `${number.toFixed(1)} ms`;
const percent = (share) => `${(100 * share).toFixed(2)} %`;

/** The sentences of all that is not as it should be. */
const unless = (...expectations) => expectations.flatMap(([isSo, otherwise]) => (isSo ? [] : [otherwise]));

/**
 * @typedef {object} Check
 * @property {string} name
 * @property {boolean} [isTimed] - other processes can spoil it: it is measured again, at most twice
 * @property {() => Promise<{ figures: string, problems: string[] }>} run
 */

/** @returns {Check} one caller each for 64 images, against a list */
function callers(photos, quick) {
  const leastRatio = 0.9;
  return {
    name: '64 callers with one image each are as fast as a list',
    isTimed: !quick,
    run: async () => {
      const given = { files: photos.small, rounds: quick ? 3 : 9, count: quick ? 256 : 512 };
      const { list, callers, ratio, batchSize, processor } = await measure('rate', given);
      return {
        figures:
          `callers ${callers.toFixed(0)} images/s, a list ${list.toFixed(0)} images/s, ratio ${ratio.toFixed(3)}, ` +
          `${batchSize.toFixed(1)} images a batch; of the processor ${processor.map(ms).join(' and ')} an image`,
        problems: unless([quick || ratio >= leastRatio, `the ratio is below ${leastRatio}`]),
      };
    },
  };
}

/** @returns {Check[]} the peak of memory, beside the bytes of the caller */
function memory(photos, quick) {
  const most = 600;
  const cases = [
    ['classify() of photos by path', { files: photos.large, count: quick ? 60 : 500, call: 'classify' }],
    ['concurrent run() of photos by path', { files: photos.large, count: quick ? 150 : 1000, call: 'run' }],
    [
      'classify() of photos as Buffers',
      { files: photos.large, count: quick ? 60 : 500, call: 'classify', asBytes: true },
    ],
    [
      'concurrent run() of photos as Buffers',
      { files: photos.large, count: quick ? 60 : 1000, call: 'run', asBytes: true },
    ],
    [
      'concurrent run() of progressive photos',
      { files: photos.progressive, count: quick ? 24 : 500, call: 'run' },
    ],
    ['concurrent run() of PNGs', { files: photos.png, count: quick ? 12 : 200, call: 'run' }],
  ];
  return cases.map(([name, given]) => ({
    name: `memory of ${given.count} ${name.replace(' of', ':')}`,
    run: async () => {
      const { before, peak, own, fulfilled } = await measure('memory', { asBytes: false, ...given });
      return {
        figures: `peak ${mb(peak)}, ${mb(before)} of it before${own > 0 ? `, ${mb(own)} the caller's own` : ''}`,
        problems: unless(
          [fulfilled === given.count, `only ${fulfilled} of ${given.count} images succeeded`],
          [peak - own < most, `the peak is not below ${mb(most)}`],
        ),
      };
    },
  }));
}

/** @returns {Check[]} the rest of the process, while photos are decoded */
function responsiveness(photos, quick) {
  const most = 20;
  const cases = [
    ['photos', photos.large, quick ? 40 : 200],
    ['progressive photos', photos.progressive, quick ? 16 : 200],
    ['PNGs', photos.png, quick ? 8 : 60],
  ];
  return cases.map(([name, files, count]) => ({
    name: `fs and dns while ${count} ${name} are decoded`,
    isTimed: true,
    run: async () => {
      const { samples, perSecond, read, lookup, loop } = await measure('responsive', { files, count });
      return {
        figures:
          `readFile p99 ${ms(read.p99)}, lookup p99 ${ms(lookup.p99)}, event loop p99 ${ms(loop)}, ${samples} samples, ` +
          `${perSecond.toFixed(1)} photos/s`,
        problems: unless(
          [samples >= 50, 'there are fewer than 50 samples'],
          [read.p99 < most, `readFile is not below ${ms(most)} at p99`],
          [lookup.p99 < most, `lookup is not below ${ms(most)} at p99`],
        ),
      };
    },
  }));
}

/** @returns {Check[]} aborts while photos are decoded */
function aborts(photos, quick) {
  const [mostSettling, mostStopping] = [20, 50];
  return [
    ['photos', photos.large],
    ['progressive photos', photos.progressive],
  ].map(([name, files]) => ({
    name: `an abort while ${name} are decoded`,
    isTimed: true,
    run: async () => {
      const given = { files, small: photos.small[0], rounds: quick ? 5 : 15, count: 40 };
      const { aborted, settling, stopped, latency, small } = await measure('abort', given);
      return {
        figures:
          `promises settle in ${ms(settling.median)} (max ${ms(settling.max)}); 50 to 150 ms later the processor works for ` +
          `${ms(stopped.median)} (max ${ms(stopped.max)}); the next small photo is ${ms(latency.median)} late ` +
          `(max ${ms(latency.max)}; alone ${ms(small)})`,
        problems: unless(
          [aborted > 0, 'no photo was aborted'],
          [settling.median < mostSettling, `promises do not settle within ${ms(mostSettling)}`],
          [stopped.median < 10, `threads do not stop within ${ms(mostStopping)}`],
          [latency.median < mostStopping, `the next photo is late by ${ms(mostStopping)} or more`],
        ),
      };
    },
  }));
}

/** @returns {Check[]} process.exit() while photos are decoded */
function exits(photos) {
  const most = 500;
  const took = async (files, count) => {
    const { endedAt, measured } = await runChild('exit', { files, count }, { exitCode: 7 });
    return { milliseconds: endedAt - measured.at, decoding: measured.decoding };
  };
  return [
    ['photos', photos.large],
    ['progressive photos', photos.progressive],
    ['PNGs', photos.png],
  ].map(([name, files]) => ({
    name: `process.exit() while ${name} are decoded`,
    isTimed: true,
    run: async () => {
      const idle = await took([], 0);
      const busy = await took(files, 40);
      return {
        figures: `the process ends after ${busy.milliseconds} ms, an idle one after ${idle.milliseconds} ms`,
        problems: unless(
          [busy.decoding > 0, 'nothing was decoded'],
          [busy.milliseconds - idle.milliseconds < most, `it ends more than ${most} ms later`],
        ),
      };
    },
  }));
}

/** @returns {Check} three times as many images as it can compute */
function overload(photos, quick) {
  const given = {
    files: photos.small,
    seconds: quick ? 10 : 60,
    saturation: quick ? 3000 : 10_000,
    times: 3,
    maxQueue: 64,
    maxBatch: 32,
  };
  return {
    name: `arrivals at ${given.times} times the capacity for ${given.seconds} s`,
    isTimed: true,
    run: async () => {
      const { maxQueue, maxBatch } = given;
      const found = await measure('overload', given);
      const {
        capacity,
        arrived,
        accepted,
        rejected,
        succeeded,
        rejections,
        mostWaiting,
        samples,
        p50,
        p99,
        loop,
      } = found;
      const batch = (1000 * maxBatch) / capacity;
      const most = (Math.ceil(maxQueue / maxBatch) + 2) * batch;
      return {
        figures:
          `capacity ${capacity.toFixed(0)} images/s, ${arrived} arrived, ${rejected} rejected, ${succeeded} succeeded ` +
          `(${found.perSecond.toFixed(0)}/s, ${found.batchSize.toFixed(1)} a batch), at most ${mostWaiting} waiting; ` +
          `latency p50 ${ms(p50)}, p99 ${ms(p99)} (limit ${ms(most)}), event loop p99 ${ms(loop)}`,
        problems: unless(
          [accepted + rejected === arrived && succeeded === accepted, 'not every accepted image succeeded'],
          [rejections.GHOSTNET_QUEUE_FULL === rejected, `rejections: ${JSON.stringify(rejections)}`],
          [rejected > accepted / 2, 'too few were rejected for such an overload'],
          [samples > 50 && mostWaiting <= maxQueue, `${mostWaiting} images waited`],
          [p99 < most, `p99 is not below ${ms(most)}`],
        ),
      };
    },
  };
}

/** @returns {Check} the best classes of reduced decoding */
function fast(pictures, quick) {
  const [sides, perClass, leastAgreement] = [[768, 1536], quick ? 20 : 200, 0.995];
  return {
    name: `decode: 'fast' of ${10 * perClass} pictures in each size`,
    run: async () => {
      const results = await measure('fast', { folder: pictures, perClass, sides }, { seconds: 3600 });
      const reduced = ({ fastScales }) => Object.keys(fastScales).every((scale) => Number(scale) < 8);
      return {
        figures: results
          .map(
            ({ side, agreement, accuracy, fastScales }) =>
              `${side} px: ${percent(agreement)} as 'exact', right ${accuracy.map(percent).join(' and ')}, ` +
              `scales in eighths ${JSON.stringify(fastScales)}`,
          )
          .join('; '),
        problems: results.flatMap((result) =>
          unless(
            [
              result.agreement >= leastAgreement,
              `agreement at ${result.side} px is below ${percent(leastAgreement)}`,
            ],
            [reduced(result), `pictures of ${result.side} px were decoded at full size`],
            [Object.keys(result.exactScales).join() === '8', `'exact' decoded at a reduced scale`],
          ),
        ),
      };
    },
  };
}

/**
 * All checks.
 *
 * @param folder - with the files of photos.mjs
 * @param pictures - the folder of labelled pictures, if there is one
 * @param quick - fewer images, and no comparison of rates
 * @returns {Check[]}
 */
export function checksOf(folder, pictures, quick) {
  const named = (name, count) =>
    Array.from({ length: count }, (_, index) => join(folder, name.replace('#', index)));
  const photos = {
    small: named('small-#.jpg', 3),
    large: named('large-#.jpg', 3),
    progressive: named('progressive-#.jpg', 1),
    png: named('large-#.png', 1),
  };
  return [
    callers(photos, quick),
    ...memory(photos, quick),
    ...responsiveness(photos, quick),
    ...aborts(photos, quick),
    ...exits(photos),
    overload(photos, quick),
    ...(pictures === undefined ? [] : [fast(pictures, quick)]),
  ];
}
