// node test/train/make-golden.mjs: writes test/golden/training.json, which PyTorch computes, for the test that does without Python.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { packages } from '../family/environment.mjs';

import { goldenCase, normOf } from './golden.mjs';
import { torchResults } from './parity.mjs';
import { numbersOf } from './trainer.mjs';

const obstacle = packages.install();
if (obstacle !== undefined) throw new Error(obstacle);
const folder = mkdtempSync(join(tmpdir(), 'ghostnet-golden-'));
try {
  const results = torchResults([goldenCase], folder).get(goldenCase.name);
  const golden = {
    source: 'PyTorch 2.13.0 and timm 1.0.31, float64, test/train/parity.py',
    initial: normOf(results, 'initial.'),
    losses: numbersOf(results.get('losses')),
    model: normOf(results, 'model.'),
    average: normOf(results, 'average.'),
    optimizer: normOf(results, 'optimizer.'),
  };
  writeFileSync(new URL('../golden/training.json', import.meta.url), `${JSON.stringify(golden, null, 2)}\n`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
