import { nameInWords, quote } from '../check/words.js';
import { tailOf } from './classifier.js';
import type { NamedArray } from './types.js';

type Arrays = ReadonlyMap<string, NamedArray>;

/** What arrays that do not fit look like, and what to do. */
export interface Advice {
  /** As a phrase. */
  readonly looks: string;
  readonly remedy?: string;
}

/** The arrays that a message names. */
const mostNamed = 5;

function inWords(arrays: readonly (readonly [string, NamedArray])[]): string {
  const named = arrays
    .slice(0, mostNamed)
    .map(([name, { shape }]) => `${nameInWords(name)} [${shape.slice(0, mostNamed).join(',')}]`);
  const rest = arrays.length - mostNamed;
  return named.join(', ') + (rest > 0 ? `, and ${rest} more` : '');
}

/**
 * What the keys of arrays that are not those of a network look like; undefined if nothing is known about them.
 *
 * @param prefix - what was removed from the start of each key: lines to type need the keys as they are in the file
 */
export function adviceFor(arrays: Arrays, prefix: string): Advice | undefined {
  const parts = arrays.has('conv_stem.weight') ? [stemAdvice, tailAdvice] : [];
  for (const part of parts) {
    const advice = part(arrays, prefix);
    if (advice !== undefined) return advice;
  }
  const names = [...arrays.keys()];
  return networks.find(({ key }) => names.some((name) => key.test(name)));
}

const inPython = (line: string): string => `In Python: ${line}.`;

/** Whether the first convolution takes three channels, as far as the file tells. */
export function takesRgb({ arrays }: { readonly arrays: Arrays }): boolean {
  return stemAdvice(arrays, '') === undefined;
}

/** The first convolution of a network for images of other than three channels. */
function stemAdvice(arrays: Arrays, prefix: string): Advice | undefined {
  const { shape = [] } = arrays.get('conv_stem.weight') ?? {};
  const [, channels = 0] = shape;
  if (shape.length !== 4 || channels === 3) return undefined;
  const stem = `state[${quote(`${prefix}conv_stem.weight`)}]`;
  const looks = `conv_stem.weight takes ${channels} ${channels === 1 ? 'channel' : 'channels'}, and this package runs RGB, 3 channels`;
  if (channels === 1) {
    const line = `w = ${stem}; ${stem} = w.repeat(1, 3, 1, 1) / 3`;
    return {
      looks,
      remedy: `timm makes such a stem by adding up the weights of RGB; for grey pictures this turns it back. ${inPython(line)}`,
    };
  }
  if (channels === 4) {
    const line = `w = ${stem}; ${stem} = w[:, :3] * 4 / 3`;
    return {
      looks,
      remedy:
        'timm makes such a stem by repeating the weights of RGB, times 3/4. If it has not been trained since, turn it back. ' +
        `${inPython(line)} Otherwise train and save the network with in_chans=3.`,
    };
  }
  return { looks, remedy: 'Train and save the network with in_chans=3.' };
}

/** What stands in place of the classifier, without which a network is sound. */
function tailAdvice(arrays: Arrays, prefix: string): Advice | undefined {
  if (arrays.has('classifier.weight')) return undefined;
  const found = tailOf(arrays);
  if (found.length === 0) return undefined;
  const starts = ['classifier.', 'fc.', 'head.'].map((start) => quote(prefix + start)).join(', ');
  const line = `state = {k: v for k, v in state.items() if not k.startswith((${starts}))}`;
  return {
    looks: `in place of the classifier, one linear layer of [N,1280], stand ${inWords(found)}`,
    remedy: `Save the network without them, use embed(), and compute these layers from the embedding. ${inPython(line)}`,
  };
}

/** What stands beside a network in place of its classifier. @param keys - none if nothing does */
export function headAdvice(keys: readonly string[]): Advice | undefined {
  if (keys.length === 0) return undefined;
  const rest = keys.length > mostNamed ? `, and ${keys.length - mostNamed} more` : '';
  const named = keys.slice(0, mostNamed).map(nameInWords).join(', ') + rest;
  return {
    looks: `the network has no classifier: beside it, in place of one linear layer of [N,1280], stand ${named}`,
    remedy: 'Use embed(), and compute these layers from the embedding.',
  };
}

interface Network extends Advice {
  /** A key that only this network has. */
  readonly key: RegExp;
}

/** Networks whose keys are known, those with the most telling keys first. */
const networks: readonly Network[] = [
  {
    key: /\.(?:primary_rpr_|cheap_rpr_|dw_rpr_)/,
    looks: 'the keys are those of a GhostNetV3 in training form',
  },
  {
    key: /^blocks\.\d+\.\d+\.ghost1\.primary_conv\.0\.bias$/,
    looks: 'the keys are those of a deployed GhostNetV3',
  },
  { key: /\.ghost1\.short_conv\.0\.weight$/, looks: 'the keys are those of a GhostNetV2' },
  { key: /\.fusion_(?:conv|bn)\./, looks: 'the keys are those of a RepGhost' },
  { key: /^layer[1-4]\.\d+\.conv1\.weight$/, looks: 'the keys look like a ResNet' },
  { key: /^stages\.\d+\.blocks\.\d+\.conv_dw\./, looks: 'the keys look like a ConvNeXt' },
  { key: /^blocks\.\d+\.attn\./, looks: 'the keys look like a vision transformer' },
  {
    key: /^blocks\.\d+\.\d+\.conv_pwl?\./,
    looks: 'the keys look like an EfficientNet or a MobileNet of timm',
  },
  { key: /^features\.denseblock\d+\./, looks: 'the keys look like a DenseNet' },
  {
    key: /^features\.\d+\./,
    looks: 'the keys look like a MobileNet, an EfficientNet or a VGG of torchvision',
  },
  { key: /^\d+\.conv\./, looks: 'the keys look like a YOLO' },
  { key: /^(?:state|param_groups)\./, looks: 'the keys look like the state of an optimizer' },
];
