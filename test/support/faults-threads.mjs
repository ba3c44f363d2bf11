// Makes the starts of the addon's threads fail, under LD_PRELOAD of native/test/faults. Prints JSON: what the calls gave meanwhile, and
// whether they work afterwards. Nothing here ends the process: it must end by itself.
import { GhostNet, Tensor, ghostModule } from 'ghostnet';

const [fault] = process.argv.slice(2);
const pixels = { data: new Uint8Array(90 * 60 * 3).fill(99), width: 90, height: 60 };
const stages = [[[3, 16, 16, 0, 1]], [[3, 48, 24, 0.25, 2]]];
const x = Tensor.empty('uint8', [4, 32, 32, 3]);
const weights = {
  primary_weight: Tensor.from(new Float32Array(4 * 3).fill(0.1), [4, 3, 1, 1]),
  primary_bias: Tensor.from(new Float32Array(4), [4]),
  cheap_weight: Tensor.from(new Float32Array(4 * 9).fill(0.1), [4, 1, 3, 3]),
  cheap_bias: Tensor.from(new Float32Array(4), [4]),
};
const map = Tensor.from(new Float32Array(3 * 64 * 64), [1, 3, 64, 64]);

async function tried() {
  const outcomes = [];
  for (const backend of ['fused', 'reference']) {
    const call = async () => {
      const model = await GhostNet.create({
        stages,
        numClasses: 4,
        inputSize: 32,
        seed: 1,
        backend,
        threads: 8,
      });
      await model.classify(Array(5).fill(pixels));
      await model.forward(x);
      model.dispose();
    };
    outcomes.push(
      await call().then(
        () => 'ok',
        ({ code }) => code,
      ),
    );
  }
  const call = ghostModule(map, weights, { threads: 8 });
  outcomes.push(
    await call.then(
      () => 'ok',
      ({ code }) => code,
    ),
  );
  return outcomes;
}

process.env.GHOSTNET_FAULT = fault;
const meanwhile = await tried();
const faults = Number(process.env.GHOSTNET_FAULTS);
process.env.GHOSTNET_FAULT = 'none';
console.log(JSON.stringify({ meanwhile, faults, afterwards: await tried() }));
