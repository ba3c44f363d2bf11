// A training in a process of its own, to be killed: node finetune-process.mjs TASK.json
// Prints a line after every step, and at its end the SHA-256 of its results.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { GhostNet } from '../../dist/index.mjs';
import { finetune } from '../../dist/training/finetune.js';

const { source, ...task } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const model = await GhostNet.load(source, { threads: 1 });
const { state, reports, bestEpoch, scores } = await finetune({
  ...task,
  model,
  resume: true,
  onStep: ({ epoch, step }) => process.stdout.write(`step ${epoch} ${step}\n`),
});

const hash = createHash('sha256');
for (const [name, { data }] of [...state].sort(([a], [b]) => (a < b ? -1 : 1)))
  hash.update(name).update(data);
// Everything but the time that it took.
hash.update(JSON.stringify(reports.map((report) => ({ ...report, seconds: 0 }))));
hash.update(scores).update(String(bestEpoch));
process.stdout.write(`end ${hash.digest('hex')} ${reports.length}\n`);
