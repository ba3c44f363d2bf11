import { parseObject, isObject } from '../check/json.js';
import { quote } from '../check/words.js';
import { GhostNetError, type ErrorDetails } from '../errors.js';
import { mostArrays } from './array.js';
import type { ArrayFile, NamedArray } from './types.js';

/** The files of a model that is spread over several, and the keys in each. */
export type ShardIndex = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * Reads a `model.safetensors.index.json` or a `pytorch_model.bin.index.json`.
 *
 * @param source - the name of the index in messages
 * @param end - how the names of its files end, `.safetensors` or `.bin`
 * @returns paths relative to the folder of the index, with `/`, none of which leads out of it
 * @throws GhostNetError `GHOSTNET_MALFORMED_FILE`
 */
export function readShardIndex(text: string, source: string, end: string): ShardIndex {
  const { weight_map: map } = parseObject(text, source);
  if (!isObject(map)) throw malformed(source, 'there is no weight_map in it');
  const keys = Object.entries(map);
  if (keys.length > mostArrays) {
    throw malformed(source, 'it has too many arrays', {
      found: `${keys.length}`,
      expected: `at most ${mostArrays}`,
    });
  }
  const index = new Map<string, Set<string>>();
  for (const [key, file] of keys) {
    if (typeof file !== 'string' || !file.endsWith(end) || !isInside(file)) {
      throw malformed(source, `the file of array ${quote(key)} is not one in the same folder`, {
        found: typeof file === 'string' ? quote(file) : typeof file,
        expected: `a name that ends in ${end}`,
      });
    }
    const shard = index.get(file) ?? new Set();
    index.set(file, shard.add(key));
  }
  return index;
}

function isInside(path: string): boolean {
  const names = path.split('/');
  return !/[\\:\0]/.test(path) && !names.some(isStep);
}

/** Parts of a path that are no names, but lead elsewhere. */
const isStep = (name: string): boolean => name === '' || name === '.' || name === '..';

/**
 * Joins the files of an index.
 *
 * @param source - the name of the index in messages
 * @throws GhostNetError `GHOSTNET_MALFORMED_FILE` if a file has not exactly the arrays that the index says
 */
export function joinShards(
  index: ShardIndex,
  shards: ReadonlyMap<string, ArrayFile>,
  source: string,
): ArrayFile {
  const arrays = new Map<string, NamedArray>();
  for (const [file, keys] of index) {
    const found = shards.get(file)?.arrays ?? new Map<string, NamedArray>();
    const [lost] = [...keys].filter((key) => !found.has(key));
    if (lost !== undefined) throw malformed(source, `the array ${quote(lost)} is not in ${quote(file)}`);
    for (const [key, array] of found) {
      if (!keys.has(key))
        throw malformed(source, `it does not name ${quote(key)}, which is in ${quote(file)}`);
      arrays.set(key, array);
    }
  }
  const [first] = shards.values();
  return { format: first?.format ?? 'safetensors', arrays, metadata: first?.metadata ?? {} };
}

function malformed(source: string, what: string, details: ErrorDetails = {}): GhostNetError {
  return new GhostNetError('GHOSTNET_MALFORMED_FILE', `${source}: ${what}`, details);
}
