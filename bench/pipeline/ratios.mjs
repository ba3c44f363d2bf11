import { spread } from '../statistics.mjs';

/** A number of each round, and its spread. */
export function over(rows, pick) {
  return spread(rows.map(pick));
}

/** How many times the rate of a peer ours has, and how many times the CPU time it takes; of the same round each. */
export function ratiosOf(ours, peer) {
  const pairs = ours.rounds.map((own, round) => [own, peer.rounds[round]]);
  return {
    rate: over(pairs, ([own, its]) => own.imagesPerSecond / its.imagesPerSecond),
    cpu: over(pairs, ([own, its]) => its.cpuMilliseconds / own.cpuMilliseconds),
  };
}

/** Whether the stages of a contender are timed. */
export function hasStages({ rounds: [{ works }] }) {
  return works.compute !== undefined;
}

/** CPU milliseconds of an image in the stages of a contender. */
export function stagesOf({ rounds }) {
  const cpu = (work) => over(rounds, ({ works }) => works[work].cpuMilliseconds).median;
  const [resize, prepare, compute] = ['resize', 'prepare', 'compute'].map(cpu);
  // Ours decodes and resizes in one pass, so it has no decoding alone.
  const decode = rounds[0].works.decode === undefined ? null : cpu('decode');
  return { decode, resize, prepare, compute, sum: prepare + compute };
}

/** How many times the CPU time of ours the stages of a peer take: what the pipelines could gain if nothing else cost anything. */
export function allowedOf(ours, peer) {
  const pairs = ours.rounds.map((own, round) => [own.works, peer.rounds[round].works]);
  const ratio = (cost) => over(pairs, ([own, its]) => cost(its) / cost(own));
  return {
    prepare: ratio(({ prepare }) => prepare.cpuMilliseconds),
    compute: ratio(({ compute }) => compute.cpuMilliseconds),
    both: ratio(({ prepare, compute }) => prepare.cpuMilliseconds + compute.cpuMilliseconds),
  };
}

/**
 * The rate that preparing and computing alone allow together if they share the cores one after the other, and the share of it
 * that the pipeline reaches.
 */
export function boundOf({ rounds }) {
  const together = ({ works: { prepare, compute } }) =>
    1 / (1 / prepare.imagesPerSecond + 1 / compute.imagesPerSecond);
  return {
    prepare: over(rounds, ({ works }) => works.prepare.imagesPerSecond).median,
    compute: over(rounds, ({ works }) => works.compute.imagesPerSecond).median,
    together: over(rounds, together).median,
    reached: over(rounds, ({ imagesPerSecond }) => imagesPerSecond).median,
    share: over(rounds, (round) => round.imagesPerSecond / together(round)),
  };
}

/** Many callers of one image each, beside the batch rate. */
export function callersOf({ rounds }) {
  return {
    rate: over(rounds, ({ works }) => works.callers.imagesPerSecond),
    cpu: over(rounds, ({ works }) => works.callers.cpuMilliseconds),
    loop: over(rounds, ({ works }) => works.callers.loop.p99),
    share: over(rounds, (round) => round.works.callers.imagesPerSecond / round.imagesPerSecond),
  };
}
