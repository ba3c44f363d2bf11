import { isObject, parseObject } from '../check/json.js';
import { quote } from '../check/words.js';
import { unsupported } from '../checkpoint/index.js';
import type { TransformOptions } from '../image/transform.js';
import { checkedMetadata, malformedField, type ModelMetadata } from './metadata.js';

/** A model as described by `config.json`, which timm and Hugging Face write beside its weights. */
export interface HubDescription {
  readonly metadata: ModelMetadata;
  /** Undefined if it is not told. */
  readonly numClasses: number | undefined;
}

/** The options of a caller, for which a file need have no value. */
export type Overrides = TransformOptions & { readonly labels?: readonly string[] };

type Fields = Readonly<Record<string, unknown>>;

const interpolations: readonly unknown[] = ['bilinear', 'bicubic'];

/**
 * Reads the `config.json` of timm. One of another program says nothing about a GhostNet.
 *
 * @param path - its path, in messages
 * @throws {@link GhostNetError} `GHOSTNET_MALFORMED_FILE` for wrong values; `GHOSTNET_UNSUPPORTED_FORMAT` for a transform that this
 * package does not have
 */
export function readHubConfig(text: string, path: string, given: Overrides): HubDescription {
  const where = `The file ${path}`;
  const config = parseObject(text, where);
  const { architecture, pretrained_cfg: nested } = config;
  if (architecture === undefined && (nested === undefined || nested === null))
    return { metadata: {}, numClasses: undefined };
  if (nested !== undefined && nested !== null && !isObject(nested))
    throw malformedField(where, 'pretrained_cfg', nested);
  // Before 2023, the transform stood beside the architecture.
  const all: Fields = { ...(isObject(nested) ? nested : {}), ...withoutNull(config) };
  const transform: Record<keyof Overrides, () => unknown> = {
    labels: () => labelsOf(all.label_names),
    inputSize: () => sideOf(all.input_size, where),
    crop: () => cropOf(all, path, where),
    interpolation: () => interpolationOf(all.interpolation, path),
    mean: () => all.mean,
    std: () => all.std,
  };
  const read: Record<string, unknown> = {};
  for (const [field, valueOf] of Object.entries(transform)) {
    if (given[field as keyof Overrides] !== undefined) continue;
    const value = valueOf();
    if (value !== undefined && value !== null) read[field] = value;
  }
  const metadata = checkedMetadata(read, where);
  const numClasses = countOf(all.num_classes, where);
  const { labels } = metadata;
  if (labels !== undefined && numClasses !== undefined && labels.length !== numClasses) {
    throw malformedField(where, `${labels.length} label_names, and num_classes`, numClasses);
  }
  return { metadata, numClasses };
}

function withoutNull(config: Fields): Fields {
  return Object.fromEntries(Object.entries(config).filter(([, value]) => value !== null));
}

function countOf(value: unknown, where: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw malformedField(where, 'num_classes', value);
}

/** A list of names, or an object from the number of each class to its name. */
function labelsOf(value: unknown): unknown {
  if (!isObject(value)) return value;
  const names = Object.keys(value).map((_, index) => value[String(index)]);
  return names.includes(undefined) ? value : names;
}

/** The side of the input, from [channels, height, width]. */
function sideOf(value: unknown, where: string): unknown {
  if (value === undefined || value === null) return undefined;
  if (Array.isArray(value) && value.length === 3 && value[0] === 3 && value[1] === value[2]) return value[2];
  throw malformedField(where, 'input_size (not [3, n, n])', value);
}

function cropOf({ crop_mode: mode, crop_pct: share }: Fields, path: string, where: string): unknown {
  if (mode === undefined || mode === null || mode === 'center') return share;
  if (typeof mode !== 'string') throw malformedField(where, 'crop_mode', mode);
  throw unsupported(
    path,
    `the crop_mode ${quote(mode)} is not supported`,
    'Pass the option crop to take the centre of each image.',
  );
}

function interpolationOf(value: unknown, path: string): unknown {
  // The type of any other value is checked with the rest.
  if (typeof value !== 'string' || interpolations.includes(value)) return value;
  throw unsupported(
    path,
    `the interpolation ${quote(value)} is not supported`,
    "Pass the option interpolation: 'bilinear' or 'bicubic'; scores will differ a little.",
  );
}
