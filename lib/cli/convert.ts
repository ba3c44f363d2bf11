import { Command, Option } from 'commander';

import { savedDTypes, type SavedDType, type WeightsChoice } from '../checkpoint/index.js';
import { GhostNetError } from '../errors.js';
import { readBytes } from '../files.js';
import { GhostNet } from '../model/ghostnet.js';
import type { LoadOptions } from '../model/options.js';
import { exitCodeHelp } from './exit-codes.js';
import { report } from './output.js';
import {
  allowNonFiniteOption,
  maxFileBytesOption,
  parseCount,
  prefixOption,
  weightsOption,
} from './shared-options.js';

interface Options {
  readonly weights: WeightsChoice;
  readonly dtype: SavedDType;
  readonly deploy?: boolean;
  readonly labels?: string;
  readonly inputSize?: number;
  readonly crop?: number;
  readonly interpolation?: 'bilinear' | 'bicubic';
  readonly allowNonFinite?: boolean;
  readonly prefix?: string;
  readonly maxFileBytes?: number;
}

/** `ghostnet convert` */
export function convertCommand(): Command {
  return new Command('convert')
    .summary('convert weights to safetensors')
    .description(
      'Reads GhostNet weights from any supported container, checks them, and writes them as safetensors. Labels and\n' +
        'transform go into the metadata of the file.',
    )
    .argument('<input>', 'weights file: safetensors, or written by torch.save')
    .argument('<output>', 'the safetensors file to write; an existing regular file is replaced')
    .addOption(weightsOption())
    .addOption(
      new Option('--dtype <type>', 'number type of the weights in the output; those of 16 bits halve it')
        .choices(savedDTypes)
        .default('float32'),
    )
    .option('--deploy', 'fold the branches of a GhostNetV3 or a RepGhost: fewer parameters, not for training')
    .option('--labels <file>', 'class names, one per line, or a JSON array')
    .option('--input-size <n>', 'side of the input in pixels', parseCount)
    .option('--crop <share>', 'share of the shorter side that the input covers', Number)
    .addOption(new Option('--interpolation <how>', 'how images are resized').choices(['bilinear', 'bicubic']))
    .addOption(allowNonFiniteOption())
    .addOption(prefixOption())
    .addOption(maxFileBytesOption())
    .addHelpText('after', exitCodeHelp)
    .action(async (input: string, output: string, { labels, dtype, deploy = false, ...rest }: Options) => {
      const given: LoadOptions = labels === undefined ? rest : { ...rest, labels: await readLabels(labels) };
      using model = await GhostNet.load(input, given);
      await model.save(output, { dtype, deploy });
      const { variant, numClasses } = model.info;
      report(`${output}: ${variant}, ${numClasses} classes`);
    });
}

/** Many times the names of all classes that a network may have. */
const mostLabelBytes = 2 ** 28;

async function readLabels(file: string): Promise<string[]> {
  const text = Buffer.from(await readBytes(file, { maxFileBytes: mostLabelBytes })).toString('utf8');
  if (!text.trimStart().startsWith('[')) return text.split(/\r?\n/).filter((line) => line !== '');
  try {
    return JSON.parse(text) as string[];
  } catch (cause) {
    throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', `The labels in ${file} are not valid JSON`, {
      expected: 'a JSON array of names, or one name per line',
      cause,
    });
  }
}
