// Leaves in one of several ways, in the middle of a run or after it.
import { Worker, isMainThread, workerData } from 'node:worker_threads';
import { GhostNet, Tensor } from 'ghostnet';

const mode = workerData?.mode ?? process.argv[2];
const model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 10, seed: 1 });
const input = Tensor.empty('float32', [8, 3, 224, 224]);

const ways = {
  idle: () => model.forward(Tensor.empty('float32', [1, 3, 32, 32])),
  pending: () => void model.forward(input).then(({ shape }) => console.log(shape.join())),
  exitAfterRun: async () => {
    await model.forward(input);
    process.exit(0);
  },
  exitInRun: () => {
    for (let count = 0; count < 4; ++count) void model.forward(input);
    setTimeout(() => process.exit(0), 30);
  },
  throwInRun: () => {
    void model.forward(input);
    setTimeout(() => {
      throw new Error('thrown on purpose');
    }, 30);
  },
  rejectInRun: () => {
    void model.forward(input);
    void Promise.reject(new Error('rejected on purpose'));
  },
  terminate: async () => {
    const workers = [1, 2].map(
      () => new Worker(new URL(import.meta.url), { workerData: { mode: 'exitInRun' } }),
    );
    await Promise.all(workers.map((worker) => new Promise((resolve) => worker.once('online', resolve))));
    const run = model.forward(input);
    await new Promise((resolve) => setTimeout(resolve, 150));
    const codes = await Promise.all(workers.map((worker) => worker.terminate()));
    console.log(codes.length, (await run).shape.join());
  },
};
if (isMainThread || mode !== 'terminate') await ways[mode]();
