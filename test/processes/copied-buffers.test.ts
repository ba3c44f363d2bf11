import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { root, runScriptForJson } from '../support/child.js';

// A second test binary, built with NODE_API_NO_EXTERNAL_BUFFERS_ALLOWED, as Electron needs it.
const binary = fileURLToPath(new URL('build/Release/ghostnet_copy.node', root));
const isBuilt = existsSync(binary);
const needsBinary = isBuilt ? '' : ' (skipped: needs `npm run build:test`)';

describe('where external buffers are forbidden', () => {
  const env = { GHOSTNET_BINARY: binary };

  it.skipIf(!isBuilt)(`tensors copy, and all else is the same${needsBinary}`, async () => {
    const usual = await runScriptForJson('copied-buffers.mjs');
    const copied = await runScriptForJson('copied-buffers.mjs', { env });
    expect(copied).toEqual(usual);
    expect(usual).toMatchObject({
      shape: [2, 3, 64, 64],
      sameView: true,
      empty: '0,0,0,0',
      lengths: [0, 0, 0],
      disposed: [true, 0],
      after: 'GHOSTNET_DISPOSED',
      wrong: ['GHOSTNET_BAD_SHAPE', 'GHOSTNET_BAD_SHAPE', 'GHOSTNET_BAD_SHAPE'],
    });
    const { rewritten, waited, logits } = usual as Record<string, string>;
    expect(waited).toBe(rewritten);
    expect(waited).not.toBe(logits);
  });

  it.skipIf(!isBuilt)(`tensors can be transferred, and count as disposed of then${needsBinary}`, async () => {
    expect(await runScriptForJson('copied-transfer.mjs', { env })).toEqual({
      moved: 3 * 64 * 64,
      disposed: true,
      equal: true,
      code: 'GHOSTNET_DISPOSED',
    });
  });
});
