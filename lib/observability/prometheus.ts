/**
 * Metrics of pipelines for Prometheus, through prom-client.
 *
 * @module ghostnet/prometheus
 */
import type { Metric, Registry, RegistryContentType } from 'prom-client';

import { checkObject, invalidArgument } from '../check/option.js';
import { Collector, type MetricsSource } from './collector.js';
import { loadPeer } from './peer.js';

export type { MetricsSource } from './collector.js';

/** Options of {@link registerMetrics}. */
export interface MetricsOptions {
  /** The label `model` of the metrics. */
  readonly model: string;
  /** The label `version`. Default `'1'`. */
  readonly version?: string;
  /** The registry. Default: `register` of prom-client. */
  readonly register?: Registry<RegistryContentType>;
}

const collectors = new WeakMap<object, Collector>();

/**
 * Adds the metrics of a pipeline to a registry of prom-client, under the names and labels of Triton Inference Server; what Triton
 * has no name for begins with `ghostnet_`. They are read from the pipeline when the registry is, and cost nothing in between.
 * Pipelines with the same model and version are added up.
 *
 * @param pipeline - a `Pipeline`. When it has closed, its metrics are removed
 * @returns a function that removes them earlier
 * @throws `GhostNetError` `GHOSTNET_PEER_NOT_INSTALLED`, `GHOSTNET_INVALID_ARGUMENT`
 *
 * @example
 * ```ts
 * registerMetrics(pipeline, { model: 'ghostnet_100', version: '1' });
 * response.end(await register.metrics());
 * ```
 */
export function registerMetrics(pipeline: MetricsSource, options: MetricsOptions): () => void {
  checkObject('pipeline', pipeline);
  if (typeof pipeline.stats !== 'function')
    throw invalidArgument('The argument pipeline is no pipeline', pipeline, 'a Pipeline');
  checkObject('options', options);
  const { model, version = '1', register = defaultRegister() } = options;
  checkLabel('model', model);
  checkLabel('version', version);
  if (typeof (register as Partial<Registry> | null)?.registerMetric !== 'function')
    throw invalidArgument('The option register is no registry', register, 'a Registry of prom-client');
  let collector = collectors.get(register);
  if (collector === undefined) {
    collector = new Collector(register, (metric) => {
      register.registerMetric(metric as unknown as Metric);
    });
    collectors.set(register, collector);
  }
  return collector.add(pipeline, { model, version });
}

function defaultRegister(): Registry<RegistryContentType> {
  return (loadPeer('prom-client', 'ghostnet/prometheus') as typeof import('prom-client')).register;
}

function checkLabel(name: string, value: unknown): void {
  if (typeof value === 'string' && value !== '') return;
  throw invalidArgument(`The option ${name} is no label`, value, 'a string that is not empty');
}
