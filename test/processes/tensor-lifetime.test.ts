import { MessageChannel, receiveMessageOnPort } from 'node:worker_threads';

import { GhostNet, Tensor } from 'ghostnet';
import { describe, expect, it } from 'vitest';

import { runScriptForJson } from '../support/child.js';
import { codeOf } from '../support/errors.js';

const major = Number(process.versions.node.split('.')[0]);
const flags = ['--expose-gc'];

describe('a tensor that a waiting job reads', () => {
  it('stays readable for the job when it is disposed of, collected or transferred', async () => {
    const report = await runScriptForJson<Record<string, { waited: boolean; equal: boolean }>>(
      'tensor-lifetime.mjs',
      { flags },
    );
    const ways = ['dispose', 'collect'];
    if (major >= 21) ways.push('transfer', 'transferAndCollect', 'movedStays');
    expect(report).toEqual(Object.fromEntries(ways.map((way) => [way, { waited: true, equal: true }])));
  });
});

describe("a tensor's memory", () => {
  it('is known to V8, from its making to its end', async () => {
    type Known = Record<'external' | 'arrayBuffers', number>;
    const { size, held, disposed, dropped, collected, peak } = await runScriptForJson<
      Record<'held' | 'disposed' | 'dropped' | 'collected', Known> & Record<'size' | 'peak', number>
    >('tensor-memory.mjs', { flags });
    const near = size / 100;
    expect(Math.abs(held.external - size)).toBeLessThan(near);
    expect(Math.abs(disposed.external)).toBeLessThan(near);
    expect(Math.abs(dropped.external - size)).toBeLessThan(near);
    expect(Math.abs(collected.external)).toBeLessThan(near);
    // 32 tensors were made and dropped, with only a few alive at any time.
    expect(peak).toBeLessThan(12 * size);
  });
});

describe('transferring', () => {
  const values = Float32Array.of(1, 2, 3, 4);

  it.skipIf(major >= 21)('on Node 20 copies and leaves the tensor as it was', () => {
    using tensor = Tensor.from(values, [4]);
    const { data } = tensor;
    const cloned = structuredClone(data, { transfer: [data.buffer as ArrayBuffer] });
    expect(cloned).toEqual(values);
    expect(cloned.buffer).not.toBe(data.buffer);

    const { port1, port2 } = new MessageChannel();
    port1.postMessage(data, [data.buffer as ArrayBuffer]);
    expect(receiveMessageOnPort(port2)).toEqual({ message: values });
    port1.close();

    expect(tensor.disposed).toBe(false);
    cloned.fill(0);
    expect(tensor.data).toEqual(values);
  });

  it.skipIf(major < 21)('on Node 21 and newer throws and leaves the tensor as it was', () => {
    using tensor = Tensor.from(values, [4]);
    const { data } = tensor;
    const refused = expect.objectContaining({ name: 'DataCloneError' }) as unknown;
    expect(thrownBy(() => structuredClone(data, { transfer: [data.buffer as ArrayBuffer] }))).toEqual(
      refused,
    );

    const { port1 } = new MessageChannel();
    expect(
      thrownBy(() => {
        port1.postMessage(data, [data.buffer as ArrayBuffer]);
      }),
    ).toEqual(refused);
    port1.close();

    expect(tensor.disposed).toBe(false);
    expect(tensor.data).toEqual(values);
  });

  it.skipIf(major < 21)(
    'with ArrayBuffer.prototype.transfer moves the memory: the tensor is disposed of',
    async () => {
      const tensor = Tensor.empty('float32', [1, 3, 32, 32]);
      tensor.data.fill(0.5);
      // These are the types of Node 20, which has no transfer().
      const buffer = tensor.data.buffer as ArrayBuffer & { transfer: () => ArrayBuffer };
      const moved = new Float32Array(buffer.transfer());
      expect(tensor.disposed).toBe(true);
      expect(tensor.data).toHaveLength(0);
      using model = await GhostNet.create({ variant: 'ghostnet_050', numClasses: 2 });
      expect(await codeOf(() => model.forward(tensor))).toBe('GHOSTNET_DISPOSED');
      tensor.dispose();
      expect(moved).toHaveLength(3 * 32 * 32);
      expect(moved.every((value) => value === 0.5)).toBe(true);
    },
  );

  it('without a transfer list copies', () => {
    using tensor = Tensor.from(values, [4]);
    const { port1, port2 } = new MessageChannel();
    port1.postMessage(tensor.data);
    expect(receiveMessageOnPort(port2)).toEqual({ message: values });
    port1.close();
    expect(tensor.disposed).toBe(false);
  });
});

function thrownBy(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  return undefined;
}
