import { quote } from '../check/words.js';
import { GhostNetError } from '../errors.js';

/** A key of every GhostNet, after its prefix, and the start of several keys. */
interface Signs {
  readonly stem: string;
  readonly firstBlock: string;
}

/** Those of timm and the authors. */
const current: Signs = { stem: 'conv_stem.weight', firstBlock: 'blocks.0.0.' };

/** Those of the first code. */
const first: Signs = { stem: 'features.0.0.weight', firstBlock: 'features.1.conv.0.primary_conv.' };

/** The prefix of the arrays of a network, and those of other networks within it. */
export interface PrefixChoice {
  readonly prefix: string;
  /** Longer prefixes of which the keys do not belong to this network. */
  readonly others: readonly string[];
}

/** The prefixes under which the keys of a GhostNet stand, whatever wraps it: '' if nothing does. */
export function fittingPrefixes(keys: readonly string[]): readonly string[] {
  return [...new Set([current, first].flatMap((signs) => prefixesOf(keys, signs)))];
}

function prefixesOf(keys: readonly string[], { stem, firstBlock }: Signs): readonly string[] {
  const withBlocks = new Set<string>();
  for (const key of keys) {
    const at = key.lastIndexOf(firstBlock);
    if (at >= 0) withBlocks.add(key.slice(0, at));
  }
  return keys
    .filter((key) => key.endsWith(stem))
    .map((key) => key.slice(0, -stem.length))
    .filter((prefix) => (prefix === '' || prefix.endsWith('.')) && withBlocks.has(prefix));
}

/**
 * Chooses the prefix of the network in a file.
 *
 * @param asked - the option `prefix`, which may lack its last dot
 * @returns undefined if no key looks like one of a GhostNet
 * @throws GhostNetError `GHOSTNET_PARAMETERS_MISMATCH` if there are several networks and none was asked for,
 *   `GHOSTNET_INVALID_ARGUMENT` if there is none under the prefix that was
 */
export function choosePrefix(
  keys: readonly string[],
  asked: string | undefined,
  source: string,
): PrefixChoice | undefined {
  const fitting = fittingPrefixes(keys);
  if (asked === undefined) {
    const [prefix] = fitting;
    if (fitting.length > 1) throw severalNetworks(fitting, source);
    return prefix === undefined ? undefined : { prefix, others: [] };
  }
  const prefix = asked === '' || asked.endsWith('.') ? asked : `${asked}.`;
  if (!fitting.includes(prefix)) throw noNetwork(asked, fitting, source);
  const others = fitting.filter((other) => other !== prefix && other.startsWith(prefix));
  return { prefix, others: others.slice(0, mostOthers) };
}

/** More networks within another are not told apart; their keys are then unexpected. */
const mostOthers = 16;

/** The prefixes that wrappers of PyTorch and training scripts add to every key. */
const wrapping = /^(?:(?:_orig_mod|module|model|net|backbone|encoder)\.)+/;

/** Longer than any chain of wrappers. */
const longestChain = 256;

/** What wrappers have added to all keys of a network that is none of this package. */
export function sharedPrefix([first = '', ...others]: readonly string[]): string {
  let shared = wrapping.exec(first.slice(0, longestChain))?.[0] ?? '';
  for (const key of others) {
    let same = 0;
    while (same < shared.length && key[same] === shared[same]) same += 1;
    shared = shared.slice(0, same);
  }
  return wrapping.exec(shared)?.[0] ?? '';
}

/** The prefixes that a message lists. */
const mostNamed = 5;

function listed(prefixes: readonly string[]): string {
  const named = prefixes.slice(0, mostNamed).map((prefix) => (prefix === '' ? "''" : quote(prefix)));
  const rest = prefixes.length - mostNamed;
  return named.join(', ') + (rest > 0 ? `, and ${rest} more` : '');
}

function severalNetworks(fitting: readonly string[], source: string): GhostNetError {
  return new GhostNetError(
    'GHOSTNET_PARAMETERS_MISMATCH',
    `${source}: the file holds ${fitting.length} networks, under different prefixes`,
    {
      found: listed(fitting),
      expected: 'one network, or the option prefix',
      remedy: `Pass the prefix of one of them: prefix: ${quote(fitting[0] ?? '')} (--prefix ${quote(fitting[0] ?? '')}).`,
    },
  );
}

function noNetwork(asked: string, fitting: readonly string[], source: string): GhostNetError {
  return new GhostNetError(
    'GHOSTNET_INVALID_ARGUMENT',
    `${source}: there is no GhostNet under the prefix ${quote(asked)}`,
    {
      found: fitting.length === 0 ? 'no prefix with a GhostNet' : `a GhostNet under ${listed(fitting)}`,
      expected: `a prefix of ${current.stem} and ${current.firstBlock}*`,
      remedy: fitting.length === 1 ? 'Omit the option prefix.' : undefined,
    },
  );
}
