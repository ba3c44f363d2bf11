import { openQueue } from 'ghostnet/queue';

try {
  // No server listens there.
  await openQueue({ queue: 'images', redis: 'redis://127.0.0.1:1', connectTimeoutMs: 100 });
} catch (error) {
  console.log(`${error.code} ${error.remedy}`);
}
