import { ours } from './engine-process.mjs';
import { geometricMean } from './statistics.mjs';
import { digits, markdownTable } from './table.mjs';

/** The whole result as text and tables. */
export function reportOf({ machine, network, forward, load, trip }) {
  const lines = [
    `${machine.processor}, ${machine.processors} processors, ${machine.platform}, Node ${machine.node}, load average ${machine.loadAverage.toFixed(1)} at the start`,
    network,
  ];
  if (forward !== null) lines.push('', ...forwardReport(forward));
  lines.push('', ...loadReport(load), '', ...tripReport(trip));
  return lines.join('\n');
}

function forwardReport({ rows, unavailable, comparisons }) {
  const lines = ['## Forward', '', forwardTable(rows), ''];
  for (const [engine, { mean, lowest }] of Object.entries(comparisons)) {
    lines.push(
      `${ours} is ${mean.toFixed(2)} times as fast as ${engine}: the geometric mean of all cells; the lowest is ${lowest.toFixed(2)}.`,
    );
  }
  for (const [engine, reason] of Object.entries(unavailable)) {
    lines.push(`${engine} is not in this table: ${reason}.`);
  }
  if (Object.keys(comparisons).length === 0) lines.push(`This table has no peers: only ${ours} was timed.`);
  for (const engine of new Set(rows.map((row) => row.engine))) {
    const own = rows.filter((row) => row.engine === engine);
    const difference = Math.max(...own.map((row) => row.logitsDifference));
    const compared = engine === ours ? '' : `; logits within ${difference.toExponential(1)} of ours`;
    lines.push(`${own[0].name}: ${settingsOf(own)}${compared}`);
  }
  return lines;
}

function forwardTable(rows) {
  const header = [
    'threads',
    'batch',
    'engine',
    'ms',
    'p10..p90',
    'ms/image',
    'images/s',
    'speed',
    'p10..p90',
    'of peak',
    'MiB',
  ];
  const cells = rows.map((row) => [
    String(row.threads),
    String(row.batch),
    row.engine,
    digits(row.milliseconds.median, 2),
    range(row.milliseconds),
    digits(row.millisecondsPerImage, 2),
    digits(row.imagesPerSecond, 0),
    row.speed === null ? '-' : digits(row.speed.median, 2),
    row.speed === null ? '-' : range(row.speed),
    `${digits(row.shareOfPeak * 100, 0)} %`,
    digits(row.peakMemoryMiB, 0),
  ]);
  return markdownTable(header, cells);
}

/** The settings of an engine; if they differ between rows, all of them. */
function settingsOf(rows) {
  const values = new Map();
  for (const { settings } of rows) {
    for (const [key, value] of Object.entries(settings)) {
      values.set(key, (values.get(key) ?? new Set()).add(String(value)));
    }
  }
  return [...values].map(([key, seen]) => `${key} ${[...seen].join(' or ')}`).join(', ');
}

/** How many times as fast as each peer this package is: the geometric mean over the cells, and the lowest. */
export function comparisonsOf(rows) {
  const ratios = {};
  for (const { engine, ratioToOurs } of rows) {
    if (ratioToOurs !== null) (ratios[engine] ??= []).push(ratioToOurs.median);
  }
  return Object.fromEntries(
    Object.entries(ratios).map(([engine, values]) => [
      engine,
      { mean: geometricMean(values), lowest: Math.min(...values) },
    ]),
  );
}

function loadReport({ fileMiB, trials, milliseconds, memoryMiB }) {
  const row = (what, times) => [what, digits(times.median, 0), range(times, 0)];
  const table = markdownTable(
    ['step', 'ms', 'p10..p90'],
    [
      row('addon and LibTorch opened', milliseconds.addon),
      row('file read, network made', milliseconds.load),
      row('first logits, one image', milliseconds.first),
      row('file to first logits', milliseconds.total),
    ],
  );
  const lines = ['## Load', '', table, ''];
  lines.push(`${trials} processes; a file of ${fileMiB.toFixed(1)} MiB in the system's cache.`);
  if (memoryMiB !== null) {
    const [before, peak] = [memoryMiB.addon, memoryMiB.peak].map(({ median }) => median.toFixed(0));
    lines.push(`Resident memory: ${before} MiB once the addon is open, ${peak} MiB at its peak.`);
  }
  return lines;
}

function tripReport({ trips, microseconds, shareOfForward }) {
  return [
    '## Round trip from JavaScript',
    '',
    `${microseconds.median.toFixed(0)} us (${range(microseconds, 0)}) for a run without a network, ` +
      `${(shareOfForward * 100).toFixed(2)} % of a run of one image with all threads; ${trips} runs.`,
  ];
}

function range({ p10, p90 }, count = 2) {
  return `${p10.toFixed(count)}..${p90.toFixed(count)}`;
}
