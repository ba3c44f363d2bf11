// Two copies of the package in one process, from two folders.
import { GhostNet, Tensor, GhostNetError } from 'ghostnet';

const other = await import(process.argv[2]);
const input = Tensor.from(
  new Uint8Array(64 * 64 * 3).map((_, i) => i),
  [1, 64, 64, 3],
);
const otherInput = other.Tensor.from(
  new Uint8Array(64 * 64 * 3).map((_, i) => i),
  [1, 64, 64, 3],
);
const [mine, theirs] = await Promise.all([GhostNet.load(), other.GhostNet.load()]);
const [a, b] = await Promise.all([mine.forward(input), theirs.forward(otherInput)]);
const foreign = await mine.forward(otherInput).catch((error) => [error instanceof GhostNetError, error.code]);
console.log(
  JSON.stringify({
    distinct: other.GhostNet !== GhostNet,
    same: a.data.every((v, i) => v === b.data[i]),
    foreign,
  }),
);
