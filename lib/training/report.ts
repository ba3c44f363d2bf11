import type { DecodeSettings } from '../image/options.js';
import { percent, reportPage, short, thumbnailOf, type Chart, type MistakeFigure } from '../report/index.js';
import type { Mistake, TrainMetrics } from './metrics.js';
import type { TrainingRecord } from './record.js';
import type { EpochReport, SourceNetwork } from './types.js';

/** The report of a training as a page of HTML. */
export async function reportOf(
  info: SourceNetwork['info'],
  metrics: TrainMetrics,
  record: TrainingRecord,
  { maxPixels }: DecodeSettings,
): Promise<string> {
  const { images, trainImages, classes, top1, top5, loss, seconds, epochs, l2, mode } = metrics;
  const isJudged = images > 0;
  const judged = isJudged
    ? `${percent(top1)} of ${images} validation images were given the right class.`
    : 'No images were kept for validation, so nothing says how good it is.';
  const figures: [string, string][] = [
    ['Right', percent(top1)],
    ...(classes.length > 5 ? [['Right among five', percent(top5)] as [string, string]] : []),
    ['Loss', short(loss)],
    ['Classes', String(classes.length)],
    ['Training images', String(trainImages)],
    ['Validation images', String(images)],
  ];
  const { inputSize, variant } = info;
  return reportPage({
    title: `Training of ${classes.length} classes`,
    summary: `${mode === 'probe' ? 'A new classifier' : 'All layers'} of ${variant}, in ${short(seconds)} seconds. ${judged}`,
    figures: isJudged ? figures : figures.slice(-3),
    facts: [
      ...Object.entries(record).map(([name, value]) => [name, String(value)] as const),
      ['variant', variant],
      ['input', `${inputSize} x ${inputSize}, crop ${info.crop}, ${info.interpolation}`],
    ],
    charts: mode === 'probe' ? chartsOfProbe(epochs, l2) : chartsOfEpochs(epochs),
    classes: isJudged ? classes : [],
    confusion: isJudged ? metrics.confusion : [],
    mistakes: await Promise.all(metrics.mistakes.map((mistake) => figureOf(mistake, maxPixels))),
    warnings: metrics.skipped.map(({ message }) => message),
  });
}

function chartsOfProbe(reports: readonly EpochReport[], l2: number | undefined): Chart[] {
  const chosen = reports.findIndex((report) => report.l2 === l2);
  const common = { places: 'penalty', at: reports.map((report) => short(report.l2 ?? NaN)), chosen };
  return chartsOver(reports, common, 'training, with the penalty');
}

function chartsOfEpochs(reports: readonly EpochReport[]): Chart[] {
  const common = { places: 'epoch', at: reports.map(({ epoch }) => String(epoch)) };
  const rate = { ...common, title: 'Learning rate' };
  return [
    ...chartsOver(reports, common, 'training'),
    { ...rate, series: [{ name: 'learning rate', values: reports.map(({ learningRate }) => learningRate) }] },
  ];
}

function chartsOver(
  reports: readonly EpochReport[],
  common: Pick<Chart, 'places' | 'at' | 'chosen'>,
  training: string,
): Chart[] {
  const isJudged = reports.some(({ top1 }) => Number.isFinite(top1));
  const loss: Chart = {
    ...common,
    title: 'Loss',
    series: [
      { name: training, values: reports.map(({ trainLoss }) => trainLoss) },
      ...(isJudged
        ? [{ name: 'validation', values: reports.map(({ validationLoss }) => validationLoss) }]
        : []),
    ],
  };
  if (!isJudged) return [loss];
  const right = { name: 'validation', values: reports.map(({ top1 }) => top1) };
  return [loss, { ...common, title: 'Right', isShare: true, series: [right] }];
}

async function figureOf(mistake: Mistake, maxPixels: number): Promise<MistakeFigure> {
  return { ...mistake, thumbnail: await thumbnailOf(mistake.path, maxPixels) };
}
