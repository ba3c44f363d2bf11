import { nearest } from '../check/nearest.js';

/** The names of networks without their width, as in native/model/variant.cpp; a width in hundredths follows. */
export const families = ['ghostnet', 'ghostnetv2', 'ghostnetv3', 'repghostnet', 'ghostnet_first'] as const;

/** The widths that a name of two digits is taken for first, in tenths: 10, 13 and so on, as the authors name their files. */
const tenths: readonly string[] = ['05', '10', '13', '15', '16', '20'];

const plainName = new RegExp(`^(?:${families.join('|')})_\\d{3,}$`);

/** Whether a name is that of a network, whatever its width: a prefix and a width in hundredths, `ghostnetv2_090`. */
export function isVariantName(name: string): boolean {
  return plainName.test(name);
}

/** Longer names are not compared with others. */
export const longestName = 64;

/** The name as it stands on the hub, `timm/ghostnetv2_100.in1k`, without what the hub adds. */
export function withoutHub(name: string): string {
  return /^(?:timm\/)?([\w-]+?)(?:\.in1k)?$/.exec(name)?.[1] ?? name;
}

/** The name of a network that a name was probably meant to be: `ghostnetv2_100` for `ghostnet_v2`, `v2` and `ghostnetv2_10`. */
export function nearestVariant(name: string): string | undefined {
  if (name.length > longestName) return undefined;
  const plain = withoutHub(name).toLowerCase().replaceAll('-', '_');
  const [, stem = plain, number = '100'] =
    /^(.*?)_?(\d{3})$/.exec(plain) ?? /^(.*?)_(\d{1,4}(?:\.\d{1,4})?)x?$/.exec(plain) ?? [];
  const family = familyOf(stem.replaceAll('_', ''));
  return family === undefined ? undefined : `${family}_${hundredths(number)}`;
}

function familyOf(stem: string): string | undefined {
  const known = new Map<string, string>(families.map((family) => [family.replaceAll('_', ''), family]));
  const words = [...known.keys()];
  const part = (word: string): boolean => stem.length > 1 && (word.endsWith(stem) || word.startsWith(stem));
  const meant = words.find((word) => word === stem) ?? words.find(part) ?? nearest(stem, words);
  return meant === undefined ? undefined : known.get(meant);
}

/** A width in hundredths, from one that was written in another way. */
function hundredths(number: string): string {
  if (Number(number) === 0) return '100';
  if (number.includes('.') || number.length === 1) return inHundredths(Number(number));
  if (number.length === 2) return tenths.includes(number) ? `${number}0` : `0${number}`;
  return number;
}

const inHundredths = (width: number): string => String(Math.round(width * 100)).padStart(3, '0');
