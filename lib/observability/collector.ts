import { invalidArgument } from '../check/option.js';
import { GhostNetError } from '../errors.js';
import type { PipelineStats } from '../pipeline/index.js';
import { definitions, type Definition, type Series } from './metrics.js';

/** A pipeline, as far as metrics need it. */
export interface MetricsSource {
  stats(): PipelineStats;
}

/** The labels that all metrics of a pipeline have. */
export interface ModelLabels {
  readonly model: string;
  readonly version: string;
}

/** One value of a metric, as prom-client takes it. */
interface Sample {
  /** If it is not that of the metric. */
  readonly metricName?: string;
  readonly labels: Record<string, string>;
  readonly value: number;
}

/** What prom-client's registry asks of a metric. Its own histogram cannot be given counts. */
export interface PulledMetric {
  /** The registry shortens it for the format of OpenMetrics. */
  name: string;
  readonly help: string;
  readonly type: Definition['type'];
  readonly aggregator: 'sum';
  get(): Promise<Pick<PulledMetric, 'name' | 'help' | 'type' | 'aggregator'> & { readonly values: Sample[] }>;
  reset(): void;
}

/** The calls of a registry that a collector makes. */
export interface MetricsRegistry {
  getSingleMetric(name: string): unknown;
  removeSingleMetric(name: string): void;
}

/** The pipelines that share their labels, whose numbers are added up. */
interface Group {
  readonly labels: ModelLabels;
  readonly sources: Set<MetricsSource>;
  /** The counts of pipelines that have gone, so that no counter decreases. */
  readonly kept: Map<Series, number>;
}

/** The metrics of all pipelines in one registry, read when the registry is. */
export class Collector {
  readonly #registry: MetricsRegistry;
  readonly #register: (metric: PulledMetric) => void;
  readonly #metrics = new Map(definitions.map((definition) => [definition.name, this.#metricOf(definition)]));
  readonly #groups = new Map<string, Group>();
  /** The stats of this moment: all metrics of a scrape tell of the same one. */
  #snapshot: ReadonlyMap<MetricsSource, PipelineStats> | undefined;

  constructor(registry: MetricsRegistry, register: (metric: PulledMetric) => void) {
    this.#registry = registry;
    this.#register = register;
  }

  /** @returns a function that removes the pipeline again */
  add(source: MetricsSource, labels: ModelLabels): () => void {
    const key = JSON.stringify([labels.model, labels.version]);
    const group = this.#groups.get(key) ?? { labels, sources: new Set(), kept: new Map() };
    if (group.sources.has(source)) {
      throw new GhostNetError('GHOSTNET_INVALID_ARGUMENT', 'The pipeline is registered already', {
        found: `another call with the model ${labels.model} and the version ${labels.version}`,
        expected: 'one call for each pipeline',
      });
    }
    this.#registerAll();
    group.sources.add(source);
    this.#groups.set(key, group);
    this.#snapshot = undefined;
    return () => {
      this.#remove(key, group, source, source.stats());
    };
  }

  /** Registers what is not: at first everything, and again if the registry was cleared. */
  #registerAll(): void {
    for (const [name, metric] of this.#metrics) {
      const found = this.#registry.getSingleMetric(name);
      if (found === undefined || found === metric) continue;
      throw invalidArgument('The registry has another metric of this name', name, 'a registry without it');
    }
    for (const [name, metric] of this.#metrics) {
      if (this.#registry.getSingleMetric(name) === metric) continue;
      metric.name = name;
      this.#register(metric);
    }
  }

  #remove(key: string, group: Group, source: MetricsSource, last: PipelineStats): void {
    if (!group.sources.delete(source)) return;
    this.#snapshot = undefined;
    if (group.sources.size > 0) {
      for (const { type, series } of definitions) {
        if (type === 'gauge') continue;
        for (const one of series) group.kept.set(one, (group.kept.get(one) ?? 0) + one.read(last));
      }
      return;
    }
    this.#groups.delete(key);
    if (this.#groups.size > 0) return;
    for (const [name, metric] of this.#metrics)
      if (this.#registry.getSingleMetric(name) === metric) this.#registry.removeSingleMetric(name);
  }

  /** The stats of all pipelines; those that have closed are removed. */
  #look(): ReadonlyMap<MetricsSource, PipelineStats> {
    if (this.#snapshot !== undefined) return this.#snapshot;
    const snapshot = new Map<MetricsSource, PipelineStats>();
    for (const [key, group] of this.#groups) {
      for (const source of group.sources) {
        const stats = source.stats();
        if (stats.state === 'closed') this.#remove(key, group, source, stats);
        else snapshot.set(source, stats);
      }
    }
    this.#snapshot = snapshot;
    queueMicrotask(() => (this.#snapshot = undefined));
    return snapshot;
  }

  #metricOf({ name, type, help, series }: Definition): PulledMetric {
    const values = (): Sample[] => {
      const snapshot = this.#look();
      return [...this.#groups.values()].flatMap(({ labels, sources, kept }) =>
        series.map((one) => {
          let value = kept.get(one) ?? 0;
          for (const source of sources) {
            const stats = snapshot.get(source);
            if (stats !== undefined) value += one.read(stats);
          }
          const named = one.suffix === undefined ? {} : { metricName: `${name}${one.suffix}` };
          return { ...named, labels: { ...labels, ...one.labels }, value };
        }),
      );
    };
    return {
      name,
      help,
      type,
      aggregator: 'sum',
      get() {
        const { name, aggregator } = this;
        return Promise.resolve({ name, help, type, aggregator, values: values() });
      },
      // The counts are those of the pipelines.
      reset: () => undefined,
    };
  }
}
