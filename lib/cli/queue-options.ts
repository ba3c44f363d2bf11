import { Option } from 'commander';

import type { ImageQueue } from '../queue/index.js';
import { report, reportError } from './output.js';

/** What all commands of a queue take. */
export interface QueueOptions {
  readonly redis: string;
  readonly queue: string;
}

/** The address of Redis. In the environment, other users of the machine do not see its password. */
export function redisOption(): Option {
  return new Option('--redis <url>', 'the address of Redis, redis:// or rediss://')
    .env('GHOSTNET_REDIS')
    .default('redis://127.0.0.1:6379');
}

/** The name of the queue. */
export function queueOption(): Option {
  return new Option('--queue <name>', 'the name of the queue').default('images');
}

/** Opens the queue of a command, does its work, and closes the queue. Says when Redis is gone, and when it is back. */
export async function withQueue(
  { redis, queue: name }: QueueOptions,
  work: (queue: ImageQueue) => Promise<void>,
): Promise<void> {
  // Only here: it needs bullmq and ioredis.
  const { openQueue } = await import('../queue/index.js');
  const queue = await openQueue(
    { redis, queue: name },
    {
      onDown: (error) => {
        reportError(error);
        report('ghostnet: waiting for Redis');
      },
      onUp: () => {
        report('ghostnet: Redis is back');
      },
    },
  );
  try {
    await work(queue);
  } finally {
    await queue.close();
  }
}
