// The training whose losses are in test/golden/training.json.
import { numbersOf, plain } from './trainer.mjs';

export const goldenCase = {
  ...plain,
  ...{ name: 'golden', form: 'ghostnet', fresh: 0.1, batch: 16, optimizer: 'sgd', learningRate: 0.005 },
};

/** The root of the sum of the squares of all floating-point arrays whose names begin with a prefix. */
export function normOf(arrays, prefix) {
  let sum = 0;
  for (const [name, array] of arrays) {
    if (!name.startsWith(prefix) || array.dtype === 'int64') continue;
    for (const number of numbersOf(array)) sum += number * number;
  }
  return Math.sqrt(sum);
}
