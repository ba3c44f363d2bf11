import { Command } from 'commander';

import type { WeightsChoice } from '../checkpoint/index.js';
import { GhostNet } from '../model/ghostnet.js';
import { inspectWeights, type WeightsReport } from '../model/inspect.js';
import type { ModelInfo } from '../model/model-info.js';
import { embeddedModel } from '../model/source.js';
import { ExitCode, exitCodeHelp } from './exit-codes.js';
import { print, printJson } from './output.js';
import {
  allowNonFiniteOption,
  jsonOption,
  maxFileBytesOption,
  modelOption,
  prefixOption,
  weightsOption,
} from './shared-options.js';

const count = new Intl.NumberFormat('en-US');

interface Options {
  readonly model?: string;
  readonly allowNonFinite?: boolean;
  readonly weights: WeightsChoice;
  readonly prefix?: string;
  readonly maxFileBytes?: number;
  readonly layers?: boolean;
  readonly json?: boolean;
}

/** `ghostnet info` */
export function infoCommand(): Command {
  return new Command('info')
    .summary('describe a model or a weights file')
    .description('Describes a weights file and its model: container, variant, transform, labels, faults.')
    .argument('[file]', 'weights file in any supported container (default: the embedded model)')
    .addOption(modelOption())
    .addOption(allowNonFiniteOption())
    .addOption(weightsOption())
    .addOption(prefixOption())
    .addOption(maxFileBytesOption())
    .option('--layers', 'also print the layer table')
    .addOption(jsonOption('one JSON object'))
    .addHelpText('after', exitCodeHelp)
    .action(async (file: string | undefined, options: Options) => {
      const source = file ?? options.model ?? embeddedModel;
      const { allowNonFinite = false, weights, prefix, maxFileBytes } = options;
      const given = {
        weights,
        ...(prefix === undefined ? {} : { prefix }),
        ...(maxFileBytes === undefined ? {} : { maxFileBytes }),
      };
      const report = await inspectWeights(source, given);
      // A file without a model is still described, and so is a model that would not be loaded without being asked.
      const { missing, reshaped, mistyped, unexpected } = report;
      const faults = [missing, reshaped, mistyped, unexpected].flat().length;
      const isModel = report.reason === undefined && faults === 0;
      using model = isModel ? await GhostNet.load(source, { ...given, allowNonFinite: true }) : undefined;
      if (options.json === true || !process.stdout.isTTY) {
        await printJson({ ...model?.info, file: report });
      } else {
        printRows([
          ...rowsOfFile(report),
          ...(model === undefined ? [] : rowsOfModel(model.info)),
          ...rowsOfFaults(report),
        ]);
        if (options.layers === true && model !== undefined) printLayers(model.summary());
      }
      const isUsable = model !== undefined && (allowNonFinite || report.notFinite.length === 0);
      if (!isUsable) process.exitCode = ExitCode.unusable;
    });
}

type Row = readonly [name: string, value: string];

function rowsOfFile(report: WeightsReport): Row[] {
  const dtypes = Object.entries(report.dtypes).map(([dtype, arrays]) => `${arrays} ${dtype}`);
  const metadata = Object.entries(report.metadata).map(([key, value]) => `${key}: ${value.slice(0, 60)}`);
  return [
    ...(report.files.length > 1 ? [['files', shortened(report.files, mostFaults)] as const] : []),
    ['container', report.format + (report.wrapper === undefined ? '' : `, weights under ${report.wrapper}`)],
    ...(report.fallback === undefined ? [] : [['average', `not used: ${report.fallback}`] as const]),
    ...(report.prefix === '' ? [] : [['prefix', report.prefix] as const]),
    ['arrays', `${dtypes.join(', ')}, ${count.format(report.elements)} numbers`],
    ...(metadata.length > 0 ? [['metadata', metadata.join('; ')] as const] : []),
  ];
}

const formsInWords = {
  branches: 'branches, for training; they are folded when the model is loaded',
  deployed: 'deployed: branches folded',
} as const;

function rowsOfModel(info: ModelInfo): Row[] {
  return [
    ['variant', info.variant],
    ['width', String(info.width)],
    ...(info.form === 'norms' ? [] : [['form', formsInWords[info.form]] as const]),
    ['classes', String(info.numClasses)],
    ['parameters', count.format(info.parameters)],
    ['multiply-adds', `${count.format(info.multiplyAdds)} at the input size`],
    ['input', `${info.inputSize} x ${info.inputSize}, crop ${info.crop}, ${info.interpolation}`],
    ['mean', info.mean.join(', ')],
    ['std', info.std.join(', ')],
    ...(info.labels.length > 0 ? [['labels', shortened(info.labels)] as const] : []),
    ...(info.training === undefined ? [] : [['training', pairsInWords(info.training)] as const]),
  ];
}

function pairsInWords(pairs: Readonly<Record<string, string | number>>): string {
  return Object.entries(pairs)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

function rowsOfFaults(report: WeightsReport): Row[] {
  const rows: Row[] = [];
  if (report.reason !== undefined) rows.push(['not a GhostNet', report.reason]);
  if (report.advice !== undefined) rows.push(['advice', report.advice]);
  for (const [name, list] of [
    ['missing', report.missing],
    ['wrong shape', report.reshaped],
    ['wrong dtype', report.mistyped],
    ['unexpected', report.unexpected],
    ['renamed', report.renamed.map(([from, to]) => `${from} -> ${to}`)],
    ['zeros', report.filled],
    ['skipped', report.skipped],
    ['not finite', report.notFinite],
  ] as const) {
    if (list.length > 0) rows.push([name, `${list.length}: ${shortened(list, mostFaults)}`]);
  }
  return rows;
}

function printRows(rows: readonly Row[]): void {
  for (const [name, value] of rows) print(`${name.padEnd(14)} ${value}`);
}

function printLayers(table: string): void {
  print('');
  for (const line of table.split('\n')) print(line);
}

/** As many as an error of load() names. */
const mostFaults = 5;

function shortened(list: readonly string[], shown = 12): string {
  const rest = list.length - shown;
  return list.slice(0, shown).join(', ') + (rest > 0 ? `, ... and ${rest} more` : '');
}
