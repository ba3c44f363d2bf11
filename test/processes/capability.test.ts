import { describe, expect, it } from 'vitest';

import { runScript } from '../support/child.js';

/** The instruction set limit that oneDNN reports in a process with these variables. */
async function isaOf(env: Readonly<Record<string, string>>): Promise<string | undefined> {
  const { code, stdout } = await runScript('reference-run.mjs', { env: { ONEDNN_VERBOSE: '1', ...env } });
  expect(code).toBe(0);
  return /^onednn_verbose.*,isa:(.*)$/m.exec(stdout)?.[1];
}

describe.skipIf(process.arch !== 'x64')('GHOSTNET_CPU_CAPABILITY', () => {
  it.each([
    ['default', /^Intel SSE4.1$/],
    ['avx2', /^Intel AVX2$/],
  ])("'%s' lowers LibTorch's oneDNN with the engine", async (capability, isa) => {
    expect(await isaOf({ GHOSTNET_CPU_CAPABILITY: capability })).toMatch(isa);
  });

  it.each(['ONEDNN_MAX_CPU_ISA', 'DNNL_MAX_CPU_ISA'])('leaves %s as it is set', async (name) => {
    expect(await isaOf({ GHOSTNET_CPU_CAPABILITY: 'avx2', [name]: 'SSE41' })).toMatch(/^Intel SSE4.1$/);
  });
});
