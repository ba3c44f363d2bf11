import { nameInWords } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import { unsupported } from './faults.js';
import { firstCodeNames, isFirstCode, isMatrix } from './first-code.js';
import type { NamedArray } from './types.js';

/** Arrays under the names of this package's networks. */
export interface Translation {
  readonly arrays: ReadonlyMap<string, NamedArray>;
  /** Names that were changed, and into what. */
  readonly renamed: readonly (readonly [from: string, to: string])[];
}

/**
 * Translates the names of other codes into those of timm: the authors' GhostNetV3 has `bn` where timm has `bn1`, and the first code of
 * GhostNet has names of its own.
 *
 * @throws GhostNetError `GHOSTNET_UNSUPPORTED_FORMAT` for networks that only look like one of these,
 *   `GHOSTNET_PARAMETERS_MISMATCH` if two arrays have the same name then
 */
export function translate(arrays: ReadonlyMap<string, NamedArray>, source: string): Translation {
  refuseEarlySkip(arrays, source);
  const names = isFirstCode(arrays) ? firstCodeNames(arrays, source) : authorsNames(arrays);
  const renamed = [...names].filter(([from, to]) => from !== to);
  if (renamed.length === 0) return { arrays, renamed };
  refuseTwice(names, source);
  const translated = [...arrays].map(([name, array]) => {
    const to = names.get(name) ?? name;
    return [to, isMatrix(name, array) ? { ...array, shape: [...array.shape, 1, 1] } : array] as const;
  });
  return { arrays: new Map(translated), renamed };
}

/** The batch normalisation of a branch: `cheap_rpr_scale.bn.weight`, `dw_rpr_conv.0.bn.bias`. */
const branchNorm = /^(blocks\..*_rpr_(?:conv\.\d+|scale))\.bn\./;

function authorsNames(arrays: ReadonlyMap<string, NamedArray>): ReadonlyMap<string, string> {
  return new Map([...arrays.keys()].map((name) => [name, name.replace(branchNorm, '$1.bn1.')]));
}

/** Which of two arrays is meant cannot be told. */
function refuseTwice(names: ReadonlyMap<string, string>, source: string): void {
  const origins = new Map<string, string>();
  for (const [from, to] of names) {
    const other = origins.get(to);
    if (other !== undefined) {
      throw new GhostNetError(
        'GHOSTNET_PARAMETERS_MISMATCH',
        `${source}: two arrays stand for one parameter`,
        {
          found: `${nameInWords(other)} and ${nameInWords(from)}`,
          expected: `one array for ${to}`,
          remedy: 'Remove the array that is not meant, for example: state.pop("<key>").',
        },
      );
    }
    origins.set(to, from);
  }
}

/**
 * The authors' code adds the input to the primary convolution where their channels happen to be equal, which is so for widths of 0.05 to
 * 0.37 only. timm does not, and neither does this package.
 */
function refuseEarlySkip(arrays: ReadonlyMap<string, NamedArray>, source: string): void {
  const name = [...arrays.keys()].find((key) => key.includes('.primary_rpr_skip.'));
  if (name === undefined) return;
  throw unsupported(
    source,
    `the array ${name} belongs to a GhostNetV3 of the authors' code with a width below 0.4, where the primary convolution has one branch more`,
    'Fold the branches with the code that made the weights (its switch_to_deploy), and save the result.',
  );
}
