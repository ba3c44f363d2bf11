import { median, spread } from '../statistics.mjs';
import { digits, markdownTable } from '../table.mjs';

const inWords = ({ median, p10, p90 }, count) =>
  `${digits(median, count)} (${digits(p10, count)}..${digits(p90, count)})`;

/** Ratios of turns of the same round: what disturbed one disturbed the other. */
function ratios(ours, other, name) {
  return ours.map((turn) => {
    const same = other.find(
      ({ round, connections }) => round === turn.round && connections === turn.connections,
    );
    return turn[name] / same[name];
  });
}

/** The tables of a measurement. */
export function reportOf({ machine, network, photos, rounds, seconds, contenders }) {
  const [ours] = contenders;
  const alone = contenders.at(-1);
  const counts = [...new Set(ours.turns.map(({ connections }) => connections))];
  const rows = counts.flatMap((connections) =>
    contenders.map(({ title, turns }) => {
      const at = turns.filter((turn) => turn.connections === connections);
      const own = ours.turns.filter((turn) => turn.connections === connections);
      return [
        String(connections),
        title,
        inWords(spread(at.map(({ perSecond }) => perSecond)), 1),
        digits(median(at.map(({ p50 }) => p50)), 1),
        digits(median(at.map(({ p99 }) => p99)), 1),
        inWords(spread(at.map(({ cpuMs }) => cpuMs)), 2),
        title === ours.title ? '' : inWords(spread(ratios(own, at, 'perSecond')), 2),
      ];
    }),
  );
  const shares = counts.map((connections) => {
    const own = ours.turns.filter((turn) => turn.connections === connections);
    const share = spread(ratios(own, alone.turns, 'cpuMs').map((ratio) => 1 / ratio));
    return `${connections} connections: ${inWords(share, 3)}`;
  });
  return [
    `${machine.processor} (${machine.kind}), ${machine.processors} processors, load average ${machine.loadAverage.toFixed(1)} at the start`,
    `${network}; ${photos}; ${rounds} rounds of ${seconds} s; median (p10..p90)`,
    '',
    markdownTable(
      [
        'connections',
        '',
        'images/s',
        'p50 ms',
        'p99 ms',
        "server's CPU ms an image",
        'ghostnet serve is times',
      ],
      rows,
    ),
    '',
    `The pipeline's processor time for an image, as a share of the server's: ${shares.join('; ')}`,
  ].join('\n');
}
