import { GhostNet } from 'ghostnet';
import {
  createWorker,
  openQueue,
  type QueueStatus,
  type QueueWorker,
  type WorkerEvent,
} from 'ghostnet/queue';

export async function work(): Promise<QueueWorker> {
  const model = await GhostNet.load();
  const onEvent = (event: WorkerEvent): void => {
    if (event.type === 'dead') console.error(event.image, event.error.code);
  };
  return createWorker({
    model,
    queue: 'images',
    root: 'photos',
    results: { file: 'results.jsonl' },
    onEvent,
  });
}

export async function fill(paths: Iterable<string>): Promise<QueueStatus> {
  const queue = await openQueue({ queue: 'images' });
  await queue.add(Array.from(paths, (path) => ({ path })));
  return queue.status();
}
