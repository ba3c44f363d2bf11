import { checkText, invalidArgument } from '../check/option.js';
import { nearest } from '../check/nearest.js';
import { quote } from '../check/words.js';
import { GhostNetError } from '../errors.js';
import type { TransformOptions } from '../image/transform.js';
import { isVariantName, longestName, nearestVariant, withoutHub } from './variant-names.js';

/** Published weights: their address, the properties that identify the file, and the expected input. */
export interface WeightsEntry extends Required<TransformOptions> {
  /** The name for users, unique in a registry: lower-case letters, digits, `_`, `-` and `.`. */
  readonly name: string;
  /** The architecture of the weights. */
  readonly variant: string;
  /** An http(s) address of the file; its last segment names the file in the cache. */
  readonly url: string;
  /** SHA-256 of the file in lower-case hexadecimal. Without it, a download is not verified, and a warning says so. */
  readonly sha256?: string;
  /** Size of the file, in bytes. */
  readonly bytes?: number;
  /** `torch` stands for a file of torch.save in either container, zip or legacy. */
  readonly format: 'safetensors' | 'torch';
  /** The classes in the order of the logits: `models/imagenet1k.labels.json`. */
  readonly labels: 'imagenet1k';
  /** SPDX identifier. */
  readonly license: string;
  /** The origin of the weights, in words. */
  readonly note: string;
}

/** The transform with which timm evaluates GhostNets of all three generations. */
const timmTransform: Required<TransformOptions> = {
  inputSize: 224,
  crop: 0.875,
  interpolation: 'bicubic',
  mean: [0.485, 0.456, 0.406],
  std: [0.229, 0.224, 0.225],
};

const huggingFace = (name: string): string =>
  `https://huggingface.co/timm/${name}.in1k/resolve/main/model.safetensors`;
const huaweiNoah = (file: string): string =>
  `https://github.com/huawei-noah/Efficient-AI-Backbones/releases/download/${file}`;

type Known = Pick<WeightsEntry, 'license' | 'note'> & Partial<WeightsEntry>;

function entry(name: string, url: string, known: Known): WeightsEntry {
  const format = url.endsWith('.safetensors') ? 'safetensors' : 'torch';
  return {
    name,
    variant: name,
    url,
    format,
    labels: 'imagenet1k',
    ...timmTransform,
    ...known,
  };
}

function fromTimm(network: string): Known {
  const note = `${network}, ImageNet-1k: the authors' weights as timm publishes them`;
  return { license: 'Apache-2.0', note };
}

function fromAuthors(network: string, kinds = ''): Known {
  return { license: 'BSD-3-Clause', note: `${network}, ImageNet-1k: the authors' release${kinds}` };
}

/** The published weights that the package knows by name. */
export const weightsRegistry: readonly WeightsEntry[] = [
  entry('ghostnet_100', huggingFace('ghostnet_100'), {
    sha256: '8efbcf55d97872c828768b096d4ebebc51f8b7e29623fd3b3933d78cc230e2e2',
    bytes: 20_871_632,
    ...fromTimm('GhostNet 1.0x'),
  }),
  entry('ghostnetv2_100', huggingFace('ghostnetv2_100'), fromTimm('GhostNetV2 1.0x')),
  entry('ghostnetv2_130', huaweiNoah('GhostNetV2/ck_ghostnetv2_13.pth.tar'), fromAuthors('GhostNetV2 1.3x')),
  entry('ghostnetv2_160', huggingFace('ghostnetv2_160'), fromTimm('GhostNetV2 1.6x')),
  entry(
    'ghostnetv3_100',
    huaweiNoah('GhostNetV3/ghostnetv3-1.0.pth.tar'),
    fromAuthors('GhostNetV3 1.0x', "; averaged weights, and the plain ones with the option weights: 'raw'"),
  ),
  ...['050', '058', '080', '100', '111', '130', '150', '200'].map((width) =>
    entry(`repghostnet_${width}`, huggingFace(`repghostnet_${width}`), {
      license: 'MIT',
      note: `RepGhost ${Number(width) / 100}x, ImageNet-1k: the authors' weights as timm publishes them`,
    }),
  ),
];

/** The name of a registry that a name was probably meant to be. */
function nearestWeights(
  name: string,
  registry: readonly WeightsEntry[] = weightsRegistry,
): string | undefined {
  if (name.length > longestName) return undefined;
  const names = registry.map((candidate) => candidate.name);
  const variant = nearestVariant(name);
  if (variant !== undefined && names.includes(variant)) return variant;
  // A network of its own, without published weights.
  if (variant?.startsWith('ghostnet_first') === true) return undefined;
  return nearest(withoutHub(name), names);
}

/** What to say of the name of a network for which there are no published weights; undefined for any other name. */
function unpublished(name: string, meant: string | undefined): string | undefined {
  const plain = name.length > longestName ? name : withoutHub(name);
  if (!isVariantName(plain) || plain === meant) return undefined;
  const others = meant === undefined ? '.' : `; did you mean ${meant}?`;
  return (
    `There are no published weights for ${plain}${others} ` +
    `GhostNet.create({ variant: '${plain}' }) makes this network with new weights.`
  );
}

/** What to do if there is no file of a name, which may have been meant as that of weights; undefined if it was not. */
export function remedyForName(name: string): string | undefined {
  const meant = nearestWeights(name);
  const proposal = `Did you mean the published weights ${meant}? \`npx ghostnet pull ${meant}\` downloads them.`;
  return unpublished(name, meant) ?? (meant === undefined ? undefined : proposal);
}

/**
 * Finds the entry for a name.
 *
 * @throws {@link GhostNetError} `GHOSTNET_UNKNOWN_MODEL` with the known names and the nearest one, `GHOSTNET_INVALID_ARGUMENT`
 */
export function findWeights(name: string, registry: readonly WeightsEntry[] = weightsRegistry): WeightsEntry {
  checkText('name', name);
  checkRegistry(registry);
  const chosen = registry.find((candidate) => candidate.name === name);
  if (chosen !== undefined) return chosen;
  const meant = nearestWeights(name, registry);
  throw new GhostNetError('GHOSTNET_UNKNOWN_MODEL', 'There are no weights with this name', {
    found: quote(name),
    expected: `one of ${registry.map((candidate) => candidate.name).join(', ')}`,
    remedy: unpublished(name, meant) ?? (meant === undefined ? undefined : `Did you mean ${meant}?`),
  });
}

function checkRegistry(registry: unknown): void {
  const entries: unknown[] = Array.isArray(registry) ? [...(registry as unknown[])] : [undefined];
  if (entries.every((entry) => typeof (entry as WeightsEntry | null | undefined)?.name === 'string')) return;
  throw invalidArgument('The option registry is not a list of entries', registry, 'an array of WeightsEntry');
}
