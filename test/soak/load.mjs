// What the process does, each until it is told to stop. All of it at once.
import { Blob } from 'node:buffer';
import { createReadStream, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';

import { GhostNet, inspectWeights, Tensor } from 'ghostnet';

import { expectResult } from './pictures-known.mjs';

/** Of the inputs of forward(). */
export const mostTensors = 4;
export const longestSide = 208;

const imageCodes = ['GHOSTNET_IMAGE_UNDECODABLE'];
const weights = readFileSync('models/ghostnet_050_cifar10.safetensors');

/** A picture in one of the forms that a caller may give. */
function formOf(picture, random) {
  switch (random.below(7)) {
    case 0:
      return picture.bytes;
    case 1:
      return new Blob([picture.bytes]);
    case 2:
      return createReadStream(picture.file);
    case 3:
      return pathToFileURL(picture.file);
    case 4:
      return Uint8Array.from(picture.bytes).buffer;
    default:
      return picture.file;
  }
}

/** A signal that fires at some moment, or never, or has fired. */
function someSignal(random) {
  if (random.oneIn(2)) return { stop: () => undefined };
  const controller = new AbortController();
  if (random.oneIn(8)) controller.abort();
  const timer = setTimeout(() => controller.abort(), random.below(60));
  return { signal: controller.signal, stop: () => clearTimeout(timer) };
}

/** Single callers, some of which give up. */
async function callers({ ledger, random, pictures, pipeline }) {
  const picture = random.pick(pictures);
  const { signal, stop } = someSignal(random);
  await ledger.follow(
    'run',
    pipeline.run(formOf(picture, random), { signal }),
    [...imageCodes, ...(signal ? ['GHOSTNET_ABORTED', 'ABORT_ERR'] : [])],
    (result) => expectResult(picture, result[0]),
  );
  stop();
}

/** A pipeline of its own, with a short queue and little time, that is closed or destroyed. */
async function ownPipelines({ ledger, random, pictures, model }) {
  const pipeline = model.pipeline({
    topK: 1,
    maxQueue: 1 + random.below(12),
    maxBatch: 1 + random.below(8),
    maxDelayMs: random.pick([0, 0, 5]),
    whenFull: random.pick(['reject', 'wait']),
    decode: random.pick(['exact', 'fast']),
    ...(random.oneIn(2) ? { timeoutMs: 1 + random.below(80) } : {}),
  });
  const codes = [...imageCodes, 'GHOSTNET_QUEUE_FULL', 'GHOSTNET_TIMEOUT', 'GHOSTNET_CLOSED'];
  const runs = Array.from({ length: 1 + random.below(30) }, () => {
    const picture = random.pick(pictures);
    const check = (result) => expectResult(picture, result[0], { isFast: true });
    return ledger.follow('run of an own pipeline', pipeline.run(formOf(picture, random)), codes, check);
  });
  if (random.oneIn(2)) await sleep(random.below(60));
  if (random.oneIn(2)) await ledger.follow('close', pipeline.close());
  else await ledger.follow('destroy', pipeline.destroy(new Error('no longer needed')));
  await Promise.all(runs);
  const { accepted, succeeded, failed, aborted, timedOut, state } = pipeline.stats();
  if (state !== 'closed' || accepted !== succeeded + failed + aborted + timedOut) {
    ledger.fault(`A pipeline miscounts: ${JSON.stringify(pipeline.stats())}`);
  }
}

/** Streams, left early at times. Each image comes back once. */
async function streams({ ledger, random, pictures, pipeline }) {
  const items = Array.from({ length: 5 + random.below(40) }, (_, id) => {
    const picture = random.pick(pictures);
    return { id, picture, image: formOf(picture, random) };
  });
  const last = random.oneIn(3) ? random.below(items.length) : Infinity;
  const ordered = random.oneIn(2);
  const seen = new Set();
  const reading = (async () => {
    for await (const { input, result, error } of pipeline.stream(items, { ordered })) {
      if (seen.has(input.id)) ledger.fault(`A stream gives image ${input.id} twice`);
      if (ordered && seen.size !== input.id) ledger.fault('A stream mixes up the order');
      seen.add(input.id);
      if (error === undefined) expectResult(input.picture, result[0]);
      else if (!imageCodes.includes(error.code)) throw error;
      if (seen.size > last) return;
    }
    if (seen.size !== items.length) ledger.fault(`A stream lost ${items.length - seen.size} images`);
  })();
  await ledger.follow('stream', reading);
  // Those that were left over are the caller's.
  for (const { image } of items) if (typeof image.destroy === 'function') image.destroy();
}

/** Lists, tensors of changing sizes, and the weights. */
async function tensors({ ledger, random, pictures, model, folder }) {
  const sound = pictures.filter(({ expected }) => expected.code === undefined);
  const some = Array.from({ length: 1 + random.below(6) }, () => random.pick(sound));
  const images = some.map(({ file }) => file);
  await ledger.follow(
    'classify',
    model.classify(images, { batchSize: random.pick([1, 4, 16]) }),
    [],
    (lists) => {
      for (const [index, list] of lists.entries()) expectResult(some[index], list[0]);
    },
  );
  const batch = await ledger.follow('preprocess', model.preprocess(images));
  await ledger.follow('embed', model.embed(batch), [], (features) => features.dispose());
  batch.dispose();
  const side = () => longestSide - random.below(12) * 16;
  const input = Tensor.empty('uint8', [1 + random.below(mostTensors), side(), side(), 3]);
  const { signal, stop } = someSignal(random);
  await ledger.follow('forward', model.forward(input, { signal }), signal ? ['GHOSTNET_ABORTED'] : []);
  stop();
  if (random.oneIn(2)) input.dispose(); // the other half is the collector's
  if (!random.oneIn(4)) return;
  const file = join(folder, `saved-${random.below(1e9)}.safetensors`);
  await ledger.follow('save', model.save(file));
  await ledger.follow('inspectWeights', inspectWeights(file), [], ({ missing }) => {
    if (missing.length > 0) throw new Error('A saved file lacks parameters');
  });
  rmSync(file);
}

/** Models that come and go, some with calls that still wait. */
async function models({ ledger, random, pictures }) {
  const kind = random.below(4);
  if (kind === 0) {
    const damaged = Uint8Array.from(weights.subarray(0, random.below(weights.length)));
    const codes = ['GHOSTNET_MALFORMED_FILE', 'GHOSTNET_UNKNOWN_FORMAT'];
    await ledger.follow('load of a cut file', GhostNet.load(damaged), codes);
    return;
  }
  const made =
    kind === 1
      ? GhostNet.create({ width: 0.25, numClasses: 10, seed: random.below(1000) })
      : GhostNet.load(random.pick([undefined, weights]), { threads: random.pick([1, 2]) });
  const model = await ledger.follow('load', made);
  const calls = Array.from({ length: random.below(6) }, () => {
    const picture = random.pick(pictures);
    const codes = [...imageCodes, 'GHOSTNET_DISPOSED'];
    return ledger.follow('classify before dispose', model.classify(formOf(picture, random)), codes);
  });
  const input = Tensor.empty('uint8', [1, 64, 64, 3]);
  calls.push(ledger.follow('forward before dispose', model.forward(input)));
  if (random.oneIn(2)) await Promise.all(calls);
  if (!random.oneIn(4)) model.dispose(); // the rest is the collector's
  await Promise.all(calls);
}

/** Each activity with the number of those that do it at the same time. */
export const activities = [
  [callers, 24],
  [ownPipelines, 2],
  [streams, 2],
  [tensors, 1],
  [models, 1],
];
