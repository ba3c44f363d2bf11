import { fileURLToPath } from 'node:url';

import { describe, expect, it } from 'vitest';

import { GhostNet } from '../../lib/index.js';
import { root, runScript, runScriptForJson } from '../support/child.js';

interface Report {
  readonly outcomes: readonly {
    readonly on?: string;
    readonly error?: number;
    readonly code?: string;
    readonly found?: string;
    readonly expected?: string;
  }[];
  readonly warnings: readonly { readonly name: string; readonly code: string; readonly message: string }[];
}

// A GPU library whose GPUs are this CPU: native/test/rig/rig_library.cpp.
const rig = fileURLToPath(new URL('build/Release/ghostnet_cuda_rig.so', root));

function load(devices: readonly string[], env: Record<string, string>): Promise<Report> {
  return runScriptForJson<Report>('device.mjs', { args: devices, env, timeout: 150_000 });
}

// Each CUDA thread runs on this CPU under a checker, which takes seconds, and longer on a busy machine.
describe('the option device', { timeout: 180_000 }, () => {
  it('is the CPU by default', async () => {
    using model = await GhostNet.create({ variant: 'ghostnet_050' });
    expect(model.info.device).toBe('cpu');
  });

  it.each(['gpu', 'cuda:', 'cuda:-1', 'cuda:x', 'CUDA', '', 0, null])('refuses %j', async (device) => {
    await expect(GhostNet.create({ device: device as 'cpu' })).rejects.toMatchObject({
      code: 'GHOSTNET_INVALID_ARGUMENT',
      expected: "'cpu', 'cuda', 'cuda:0' and so on, or 'auto'",
    });
  });

  it('reports where it looked for the GPU library', async () => {
    const { outcomes, warnings } = await load(['cuda', 'cuda:1', 'auto', 'auto'], {
      GHOSTNET_CUDA_LIBRARY: '/nowhere/ghostnet_cuda.so',
    });
    const missing = { code: 'GHOSTNET_CUDA_NOT_INSTALLED', found: 'none of /nowhere/ghostnet_cuda.so' };
    expect(outcomes.slice(0, 2)).toMatchObject([missing, missing]);
    expect(outcomes.slice(2)).toMatchObject([{ on: 'cpu' }, { on: 'cpu' }]);
    expect(warnings).toMatchObject([{ name: 'GhostNetWarning', code: 'GHOSTNET_CUDA_NOT_INSTALLED' }]);
  });

  it('reports that a library is not the GPU library', async () => {
    const other = fileURLToPath(new URL('build/Release/ghostnet_loader.node', root));
    const { outcomes } = await load(['cuda'], { GHOSTNET_CUDA_LIBRARY: other });
    expect(outcomes).toMatchObject([{ code: 'GHOSTNET_CUDA_NOT_INSTALLED', found: other }]);
  });

  it('reports that there is no GPU; auto runs on the CPU with one warning', async () => {
    const { outcomes, warnings } = await load(['cuda', 'auto', 'auto'], { GHOSTNET_CUDA_LIBRARY: rig });
    expect(outcomes).toMatchObject([
      { code: 'GHOSTNET_CUDA_UNAVAILABLE', found: 'no GHOSTNET_RIG_GPUS' },
      { on: 'cpu', error: 0 },
      { on: 'cpu', error: 0 },
    ]);
    expect(warnings).toMatchObject([{ name: 'GhostNetWarning', code: 'GHOSTNET_CUDA_UNAVAILABLE' }]);
  });

  it('uses the named GPU, and reports why others cannot be used', async () => {
    const { outcomes, warnings } = await load(['cuda', 'cuda:1', 'cuda:2', 'auto'], {
      GHOSTNET_CUDA_LIBRARY: rig,
      GHOSTNET_RIG_GPUS: '8.0,7.5',
    });
    const computed = { on: 'cuda:0', error: expect.toSatisfy((error: number) => error < 1e-4) as number };
    expect(outcomes).toMatchObject([
      computed,
      { code: 'GHOSTNET_CUDA_UNSUPPORTED', found: 'This CPU of compute capability 7.5' },
      { code: 'GHOSTNET_CUDA_UNAVAILABLE', expected: 'cuda:0 to cuda:1' },
      computed,
    ]);
    expect(warnings).toEqual([]);
  });

  it('computes in each precision on a GPU', async () => {
    const { outcomes } = await load(['cuda tf32', 'cuda float16', 'cuda bfloat16'], {
      GHOSTNET_CUDA_LIBRARY: rig,
      GHOSTNET_RIG_GPUS: '9.0',
    });
    for (const [index, most] of [5e-3, 5e-3, 5e-2].entries()) {
      expect(outcomes[index]?.error).toBeLessThan(most);
      // A result equal to float32 was not computed in a lower precision.
      expect(outcomes[index]?.error).toBeGreaterThan(most / 500);
    }
  });

  it('rejects a run when the GPU fails', async () => {
    const { outcomes } = await load(['cuda'], {
      GHOSTNET_CUDA_LIBRARY: rig,
      GHOSTNET_RIG_GPUS: '9.0',
      GHOSTNET_RIG_FAILS: '1',
    });
    expect(outcomes).toMatchObject([{ code: 'GHOSTNET_CUDA_FAILED', found: 'GHOSTNET_RIG_FAILS' }]);
  });

  it('is reported by doctor, with and without a GPU', async () => {
    const doctor = async (env: Record<string, string>): Promise<string> => {
      const { code, stdout } = await runScript('../../dist/cli/main.js', { args: ['doctor'], env });
      expect(code).toBe(0);
      return stdout;
    };
    const env = { GHOSTNET_CUDA_LIBRARY: rig };
    expect(await doctor(env)).toMatch(/^gpu +none \[GHOSTNET_CUDA_UNAVAILABLE\]: There is no NVIDIA driver/m);
    expect(await doctor({ ...env, GHOSTNET_RIG_GPUS: '9.0' })).toMatch(
      /^gpu +cuda:0 This CPU, 1 GB, compute capability 9\.0$/m,
    );
  });
});
