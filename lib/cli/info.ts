import { Command } from 'commander';

import { GhostNet } from '../model.js';
import { exitCodeHelp } from './exit-codes.js';
import { jsonOption, modelOption } from './options.js';

const count = new Intl.NumberFormat('en-US');

/** `ghostnet info` */
export function infoCommand(): Command {
  return new Command('info')
    .summary('say what a model is')
    .description('Says what a model is: variant, sizes, transform, labels.')
    .addOption(modelOption())
    .option('--layers', 'print the table of its layers too')
    .addOption(jsonOption('one object of JSON'))
    .addHelpText('after', exitCodeHelp)
    .action(async (options: { model?: string; layers?: boolean; json?: boolean }) => {
      using model = await GhostNet.load(options.model);
      const { info } = model;
      if (options.json === true || !process.stdout.isTTY) {
        process.stdout.write(`${JSON.stringify(info)}\n`);
        return;
      }
      const rows: [string, string][] = [
        ['variant', info.variant],
        ['width', String(info.width)],
        ['classes', String(info.numClasses)],
        ['parameters', count.format(info.parameters)],
        ['multiply-adds', `${count.format(info.multiplyAdds)} at the input size`],
        ['input', `${info.inputSize} x ${info.inputSize}, crop ${info.crop}, ${info.interpolation}`],
        ['mean', info.mean.join(', ')],
        ['std', info.std.join(', ')],
        ['labels', shortened(info.labels)],
      ];
      for (const [name, value] of rows) process.stdout.write(`${name.padEnd(14)} ${value}\n`);
      if (options.layers === true) process.stdout.write(`\n${model.summary()}\n`);
    });
}

function shortened(labels: readonly string[]): string {
  const shown = 12;
  const rest = labels.length - shown;
  return labels.slice(0, shown).join(', ') + (rest > 0 ? `, ... and ${rest} more` : '');
}
