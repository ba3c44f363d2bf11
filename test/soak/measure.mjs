// What is measured between the blocks, when nothing is being done.
import { pbkdf2 } from 'node:crypto';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';

import { Tensor } from 'ghostnet';
import sharp from 'sharp';

import { longestSide, mostTensors } from './load.mjs';

const require = createRequire(import.meta.url);
const derive = promisify(pbkdf2);

function openMallocAddon() {
  const folder = process.env.GHOSTNET_BINARY
    ? dirname(process.env.GHOSTNET_BINARY)
    : join('build', 'Release');
  try {
    return require(join(process.cwd(), folder, 'ghostnet_malloc.node'));
  } catch {
    return undefined; // another C library, or an older glibc
  }
}
const malloc = openMallocAddon();

/** The threads of this process, by name. libvips and libuv start theirs when they are needed. */
const threads = () =>
  readdirSync('/proc/self/task')
    .map((id) => readFileSync(`/proc/self/task/${id}/comm`, 'utf8').trim())
    .sort();

/** Shapes of inputs, more than the engine keeps plans for, and the largest of the load, which decides the memory of a run. */
const shapes = [
  ...Array.from({ length: 80 }, (_, index) => [1 + (index % 4), 32 + 16 * (index >> 2), 64, 3]),
  [mostTensors, longestSide, longestSide, 3],
];

/** Brings a model and a pipeline into the same state each time: they keep what recent inputs needed. */
export async function settle({ model, pipeline, pictures }) {
  for (const shape of shapes) {
    const input = Tensor.empty('uint8', shape);
    (await model.forward(input)).dispose();
    input.dispose();
  }
  await Promise.allSettled(pictures.map(({ file }) => pipeline.run(file)));
}

/** What the descriptors of this process lead to. */
const descriptors = () =>
  readdirSync('/proc/self/fd')
    .flatMap((id) => {
      try {
        return [readlinkSync(`/proc/self/fd/${id}`).replace(/\d+/g, '#')];
      } catch {
        return []; // that of the listing itself
      }
    })
    .sort();

/** Collects until nothing more becomes free: what finalizers release in later turns is found by the next collection. */
async function collect() {
  let least = Infinity;
  for (let round = 0, idle = 0; round < 60 && idle < 4; ++round) {
    globalThis.gc();
    await sleep(20);
    const now = process.memoryUsage().heapUsed + (malloc?.inUse() ?? 0);
    if (now > least - 10_000) idle += 1;
    else idle = 0;
    least = Math.min(least, now);
  }
}

/** The memory, threads and descriptors of this process. Threads that are no longer needed have some time for their end. */
export async function takeSample(before) {
  // libvips keeps what it decoded last, up to 50 MB.
  sharp.cache(false);
  sharp.cache(true);
  await collect();
  for (let waited = 0; before !== undefined && waited < 50; ++waited) {
    if (threads().join() === before.threads.join()) break;
    await sleep(100);
  }
  await collect();
  // What the allocator keeps for itself, free, comes and goes with the last work: 20 MB from one block to the next.
  malloc?.trim();
  const { rss, heapUsed, external, arrayBuffers } = process.memoryUsage();
  return {
    malloc: malloc?.inUse(),
    heap: heapUsed,
    external,
    arrayBuffers,
    rss,
    peak: Number(/VmHWM:\s+(\d+)/.exec(readFileSync('/proc/self/status', 'utf8'))[1]) * 1024,
    threads: threads(),
    descriptors: descriptors(),
  };
}

/** The time of the processor that this process uses for some work, in milliseconds. */
async function processorOf(work) {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

/** Work that has nothing to do with the package, on as many threads. */
const control = () => Promise.all([1, 2].map(() => derive('control', 'soak', 240_000, 32, 'sha256')));

/**
 * The time of the processor for an image, in milliseconds and in units of the control workload. Both take turns, so that whatever else
 * the machine does touches both.
 */
export async function takeSpeed({ pipeline, pictures }, { rounds, images }) {
  const usual = pictures.filter(({ file }) =>
    /(375x500|640x480|1000x700)\.(plain|progressive)\.jpg$/.test(file),
  );
  const work = () =>
    Promise.all(Array.from({ length: images }, (_, index) => pipeline.run(usual[index % usual.length].file)));
  const found = [];
  for (let round = 0; round < rounds; ++round) {
    const first = await processorOf(control);
    const milliseconds = (await processorOf(work)) / images;
    const second = await processorOf(control);
    found.push({ milliseconds, relative: milliseconds / (first + second) });
  }
  const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
  return {
    milliseconds: median(found.map(({ milliseconds }) => milliseconds)),
    relative: median(found.map(({ relative }) => relative)),
  };
}
