// One process of bench/queue.mjs: the pipeline alone, or a worker of a queue. Says what its processor time was for the images between
// two messages.
import { GhostNet } from 'ghostnet';
import { createWorker } from 'ghostnet/queue';

const { kind, weights, threads, redis, queue, root, out } = JSON.parse(process.argv[2]);
const model = await GhostNet.load(...(weights === undefined ? [{ threads }] : [weights, { threads }]));
const pipeline = kind === 'pipeline' ? model.pipeline() : undefined;
const worker =
  kind === 'worker'
    ? await createWorker({
        model,
        redis,
        queue,
        root,
        ...(out === undefined ? {} : { results: { file: out } }),
      })
    : undefined;

async function compute(files) {
  for await (const { error } of pipeline.stream(files, { ordered: false })) if (error) throw error;
}

let before;
process.on('message', async ({ type, files }) => {
  if (type === 'begin') {
    before = process.cpuUsage();
    if (pipeline) await compute(files);
    process.send({ type: 'done' });
  } else if (type === 'end') {
    const { user, system } = process.cpuUsage(before);
    process.send({ type: 'used', milliseconds: (user + system) / 1000, done: worker?.stats().done });
  } else {
    await worker?.close();
    await pipeline?.close();
    process.exit();
  }
});
process.send({ type: 'ready' });
