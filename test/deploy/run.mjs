// npm run test:deploy: the packed package where people deploy it: frameworks, bundlers, test runners, other runtimes, Lambda, images.
// Packs, publishes into a local registry, and installs from it into folders that it makes. Ends with "N passed, N failed".
//   --only text  the groups with this text in their names; several are separated by commas
//   --packed     the packages that are in build/packages already
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { root } from '../../packaging/project.mjs';
import { makeBinaries, makePackages } from '../package/packages.mjs';
import { startRegistry } from '../package/registry.mjs';
import { finish } from '../support/finish.mjs';
import { deploy, tableOf } from './suite.mjs';

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    packed: { type: 'boolean', default: false },
    report: { type: 'string' },
  },
});
const start = performance.now();

if (!options.packed) {
  makeBinaries();
  makePackages();
}
const storage = join(root, 'build', `registry-deploy-${process.pid}`);
const registry = await startRegistry(storage);
registry.publish();
const { totals, rows } = await deploy({ registry, only: options.only });
registry.stop();
rmSync(storage, { recursive: true, force: true });
console.log(`\n${tableOf(rows)}`);
finish(totals, { report: options.report, start });
