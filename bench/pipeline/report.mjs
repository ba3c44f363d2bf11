import { digits, markdownTable } from '../table.mjs';
import { settingsText } from './contenders.mjs';
import { allowedOf, boundOf, callersOf, hasStages, over, ratiosOf, stagesOf } from './ratios.mjs';

/** The whole result as text and tables. */
export function reportOf({ machine, network, sizes }) {
  const { processor, kind, processors, platform, node, loadAverage } = machine;
  return [
    `${processor}${kind && ` (${kind})`}, ${processors} cores, ${platform}, Node ${node}, load average ${loadAverage.toFixed(1)} at the start`,
    `GhostNet 1.0x, 224x224, float32, ${network}`,
    ...sizes.flatMap((size) => ['', ...sizeReport(size)]),
  ].join('\n');
}

function sizeReport({ title, photos, rows, unavailable, searches, rounds, seconds }) {
  const ours = rows.filter(({ group }) => group === 'ours');
  const peers = rows.filter(({ group }) => group !== 'ours');
  const lines = [`## ${title}`, '', `${photos}; ${rounds} rounds of ${seconds} s.`, '', mainTable(rows), ''];
  if (peers.length > 0) lines.push('### Ours beside its peers', '', ratioTable(ours, peers), '');
  lines.push('### Stages alone, CPU ms an image', '', stageTable(rows), '');
  for (const own of ours) lines.push(...bounds(own, peers), ...callers(own));
  lines.push(
    '',
    ...rows.map(
      ({ title: name, name: versions, settings }) => `${name}: ${versions}; ${settingsText(settings)}`,
    ),
  );
  lines.push(...searches.filter(({ tried }) => tried.length > 1).map(searchText));
  for (const [name, reason] of Object.entries(unavailable))
    lines.push(`${name} is not in these tables: ${reason}.`);
  return lines;
}

function mainTable(rows) {
  const header = [
    'contender',
    'images/s',
    'p10..p90',
    'CPU ms',
    'p10..p90',
    'MiB',
    'loop idle',
    'loop busy',
    'same class',
    'similarity',
  ];
  const cells = rows.map((row) => {
    const rate = over(row.rounds, ({ imagesPerSecond }) => imagesPerSecond);
    const cpu = over(row.rounds, ({ cpuMilliseconds }) => cpuMilliseconds);
    const { sameClass, photos, similarity } = row.agreement;
    return [
      row.title,
      digits(rate.median, 1),
      range(rate, 1),
      digits(cpu.median, 1),
      range(cpu, 1),
      digits(row.peakMemoryMiB, 0),
      loopText(row, ({ idle }) => idle),
      loopText(row, ({ loop }) => loop),
      `${sameClass} of ${photos}`,
      digits(similarity.p10, 3),
    ];
  });
  return markdownTable(header, cells);
}

function loopText({ rounds }, pick) {
  if (pick(rounds[0]) === null) return '-';
  return digits(over(rounds, (round) => pick(round).p99).median, 1);
}

function ratioTable(ours, peers) {
  const header = ['peer', ...ours.flatMap(({ title }) => [`${title}: rate`, 'p10..p90', 'CPU', 'p10..p90'])];
  const cells = peers.map((peer) => [
    peer.title,
    ...ours.flatMap((own) => {
      const { rate, cpu } = ratiosOf(own, peer);
      return [digits(rate.median, 2), range(rate), digits(cpu.median, 2), range(cpu)];
    }),
  ]);
  return markdownTable(header, cells);
}

function stageTable(rows) {
  const header = ['contender', 'decode', 'resize', 'decode + resize', 'compute', 'sum', 'pipeline'];
  const cells = rows.filter(hasStages).map((row) => {
    const { decode, resize, prepare, compute, sum } = stagesOf(row);
    const whole = over(row.rounds, ({ cpuMilliseconds }) => cpuMilliseconds).median;
    return [row.title, ...[decode, resize, prepare, compute, sum, whole].map((value) => digits(value, 2))];
  });
  return markdownTable(header, cells);
}

/** What the stages allow, and what the pipeline makes of it. */
function bounds(own, peers) {
  const { prepare, compute, together, reached, share } = boundOf(own);
  return [
    `${own.title}: decoding with resizing alone makes ${digits(prepare, 1)} images/s, the network alone ${digits(compute, 1)}; ` +
      `one after the other 1 / (1 / ${digits(prepare, 1)} + 1 / ${digits(compute, 1)}) = ${digits(together, 1)}. ` +
      `The pipeline makes ${digits(reached, 1)}: ${percents(share)}.`,
    ...peers.filter(hasStages).map((peer) => allowedText(own, peer)),
  ];
}

function allowedText(own, peer) {
  const [mine, its] = [stagesOf(own), stagesOf(peer)];
  const allowed = allowedOf(own, peer);
  const { rate, cpu } = ratiosOf(own, peer);
  return (
    `${own.title}, beside ${peer.title}: the stages allow (${digits(its.prepare, 2)} + ${digits(its.compute, 2)}) / ` +
    `(${digits(mine.prepare, 2)} + ${digits(mine.compute, 2)}), ${times(allowed.both)} by CPU: ${times(allowed.prepare)} for ` +
    `decoding with resizing, ${times(allowed.compute)} for the network. The pipelines: ${times(cpu)} by CPU, ${times(rate)} by rate.`
  );
}

function callers(own) {
  const { rate, cpu, loop, share } = callersOf(own);
  return [
    `${own.title}, 64 callers of run with one image each: ${digits(rate.median, 1)} images/s, ${percents(share)} ` +
      `of the rate of the stream; CPU ${digits(cpu.median, 1)} ms an image, ` +
      `event loop p99 ${digits(loop.median, 1)} ms.`,
  ];
}

/** The best settings of a search by rate, and by CPU time if these are others. */
function searchText({ title, tried }) {
  const text = ({ settings, imagesPerSecond, cpuMilliseconds }) =>
    `${settingsText(settings)} (${digits(imagesPerSecond, 1)} images/s, ${digits(cpuMilliseconds, 1)} CPU ms)`;
  const [fastest] = tried;
  const frugal = tried.reduce((least, one) => (one.cpuMilliseconds < least.cpuMilliseconds ? one : least));
  const also = frugal === fastest ? 'also the least CPU' : `the least CPU: ${text(frugal)}`;
  return `${title}: the fastest of ${tried.length} settings: ${text(fastest)}; ${also}.`;
}

function range({ p10, p90 }, count = 2) {
  return `${p10.toFixed(count)}..${p90.toFixed(count)}`;
}

function times({ median, p10, p90 }) {
  return `${median.toFixed(2)} times (${p10.toFixed(2)}..${p90.toFixed(2)})`;
}

function percents({ median, p10, p90 }) {
  const [middle, low, high] = [median, p10, p90].map((share) => (share * 100).toFixed(0));
  return `${middle} % (${low}..${high} %)`;
}
