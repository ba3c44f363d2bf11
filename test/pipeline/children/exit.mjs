// Ends the process while photos are decoded, if there are any. Prints the time of day before.
import { setTimeout as sleep } from 'node:timers/promises';

import { GhostNet } from 'ghostnet';

import { given, repeated } from './common.mjs';

const { files, count } = given;
const model = await GhostNet.load();
const pipeline = model.pipeline({ whenFull: 'wait' });
await pipeline.run({ data: new Uint8Array(3 * 64 * 64), width: 64, height: 64 });
for (const file of repeated(files, count)) pipeline.run(file);
await sleep(150);
const { decoding } = pipeline.stats();
process.stdout.write(`${JSON.stringify({ decoding, at: Date.now() })}\n`, () => process.exit(7));
