// A worker that ends, as if a fault of a library had ended it, when the image `killer.jpg` has been computed.
import { setTimeout as sleep } from 'node:timers/promises';

import { GhostNet } from 'ghostnet';
import { createWorker } from 'ghostnet/queue';

const [redis, queue, root] = process.argv.slice(2);
const seen = new Set();
const worker = await createWorker({
  model: await GhostNet.load({ threads: 1 }),
  redis,
  queue,
  root,
  results: {
    name: 'a sink that ends the process',
    async write({ key, image }) {
      if (image === 'killer.jpg') process.kill(process.pid, 'SIGKILL');
      // So slowly that its neighbours are not done when it ends the process.
      await sleep(100);
      const isNew = !seen.has(key);
      seen.add(key);
      return isNew;
    },
    close: () => Promise.resolve(),
  },
});
process.once('SIGTERM', () => void worker.close().then(() => process.exit(0)));
