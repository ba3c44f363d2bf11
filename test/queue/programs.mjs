// The programs of docs/queues.md, in a folder in which the package is installed.
import assert from 'node:assert/strict';
import { copyFileSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Running } from './commands.mjs';
import { scenes } from './photos.mjs';
import { until } from './queue.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));

function writePrograms(folder) {
  const page = readFileSync(join(root, 'docs', 'queues.md'), 'utf8');
  for (const [, code, name] of page.matchAll(/^```js\n(\/\/ (\S+\.mjs)\n.*?)^```$/gms)) {
    writeFileSync(join(folder, name), code);
  }
}

export async function programs({ redis, folder: parent }) {
  const folder = join(parent, 'programs');
  mkdirSync(join(folder, 'node_modules'), { recursive: true });
  mkdirSync(join(folder, 'photos'));
  symlinkSync(root, join(folder, 'node_modules', 'ghostnet'));
  writePrograms(folder);
  copyFileSync(scenes[0], join(folder, 'photos', 'a.jpg'));
  copyFileSync(scenes[1], join(folder, 'b.jpg'));
  const started = (name) =>
    new Running([], { script: join(folder, name), cwd: folder, env: { GHOSTNET_REDIS: redis.url } });

  const worker = started('worker.mjs');
  const producer = await started('producer.mjs').ended;
  assert.equal(producer.code, 0, producer.stderr);
  assert.match(producer.stdout, /waiting: \d/);
  const results = join(folder, 'results.jsonl');
  const rows = () =>
    existsSync(results) ? readFileSync(results, 'utf8').trim().split('\n').filter(Boolean) : [];
  await until('two rows are written', () => ({ holds: rows().length === 2, seen: rows().length }));
  const ended = await worker.signal('SIGTERM');
  assert.deepEqual([ended.code, ended.stderr], [0, '']);
  const images = rows().map((row) => JSON.parse(row).image);
  assert.deepEqual(images.sort(), ['a.jpg', 'b.jpg']);
  return 'a worker and a producer, two rows';
}
