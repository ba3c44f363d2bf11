import cluster from 'node:cluster';

if (cluster.isPrimary) {
  for (let worker = 0; worker < 2; worker += 1) cluster.fork();
  process.once('SIGTERM', () => cluster.disconnect());
} else {
  await import('./http.mjs');
}
