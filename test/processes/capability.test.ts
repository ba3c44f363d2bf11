import { describe, expect, it } from 'vitest';

import { runScript } from '../support/child.js';
import { narrow } from '../support/processor.js';

/** The instruction set limit that oneDNN reports in a process with these variables. */
async function isaOf(env: Readonly<Record<string, string>>): Promise<string | undefined> {
  const { code, stdout } = await runScript('reference-run.mjs', { env: { ONEDNN_VERBOSE: '1', ...env } });
  expect(code).toBe(0);
  return /^onednn_verbose.*,isa:(.*)$/m.exec(stdout)?.[1];
}

/** What oneDNN calls the instruction sets of each architecture. */
const names: Partial<Record<string, [capability: string, isa: RegExp][]>> = {
  x64: [
    ['default', /^Intel SSE4.1$/],
    ['avx2', /^Intel AVX2$/],
  ],
  arm64: [
    ['default', /^AArch64 .*Advanced SIMD/],
    ['neon', /^AArch64 .*Advanced SIMD/],
  ],
};

describe('GHOSTNET_CPU_CAPABILITY', () => {
  it.each(names[process.arch] ?? [])(
    "'%s' lowers LibTorch's oneDNN with the engine",
    async (capability, isa) => {
      expect(await isaOf({ GHOSTNET_CPU_CAPABILITY: capability })).toMatch(isa);
    },
  );

  it.runIf(process.arch === 'x64').each(['ONEDNN_MAX_CPU_ISA', 'DNNL_MAX_CPU_ISA'])(
    'leaves %s as it is set',
    async (name) => {
      expect(await isaOf({ GHOSTNET_CPU_CAPABILITY: 'avx2', [name]: 'SSE41' })).toMatch(/^Intel SSE4.1$/);
    },
  );

  it("that is another architecture's is refused, with the names of this one", async () => {
    const other = process.arch === 'arm64' ? 'avx2' : 'neon';
    const { code, stderr } = await runScript('../../dist/cli/main.js', {
      args: ['bench', '--seconds', '0.01', '--batch', '1'],
      env: { GHOSTNET_CPU_CAPABILITY: other },
    });
    expect(code).not.toBe(0);
    expect(stderr).toContain('[GHOSTNET_INVALID_ARGUMENT]');
    expect(stderr).toContain(`one of ${narrow.includes('neon') ? 'neon' : 'default'}`);
  });
});
