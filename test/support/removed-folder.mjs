// Loads a model in a folder that was removed, and then in another one.
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { GhostNet } from 'ghostnet';

const folder = mkdtempSync(join(tmpdir(), 'ghostnet-removed-'));
process.chdir(folder);
rmdirSync(folder);
await GhostNet.load().catch(({ code }) => console.log(code));
process.chdir(tmpdir());
const model = await GhostNet.load();
console.log(model.info.variant);
