import type { Registry, RegistryContentType } from 'prom-client';

import { loadPeer } from '../observability/peer.js';
import { registerMetrics } from '../observability/prometheus.js';
import type { Serving } from './model.js';
import type { MetricsRegistry } from './options.js';

type PromClient = typeof import('prom-client');

/** The metrics of the models of a server. */
export class Metrics {
  readonly #registry: Registry<RegistryContentType> | undefined;
  readonly #removals: (() => void)[] = [];
  #isClosed = false;

  /** @param given - undefined takes a registry of its own, or none without prom-client */
  constructor(given: MetricsRegistry | undefined, models: readonly Serving[]) {
    this.#registry = (given as Registry<RegistryContentType> | undefined) ?? ownRegistry();
    for (const serving of models) {
      serving.whenReady.then(
        () => {
          this.#add(serving);
        },
        () => undefined, // a model that failed has no metrics
      );
    }
  }

  #add(serving: Serving): void {
    if (this.#registry === undefined || this.#isClosed) return;
    const { name: model, version } = serving;
    this.#removals.push(registerMetrics(serving, { model, version, register: this.#registry }));
  }

  /**
   * What `GET /metrics` answers.
   *
   * @throws {@link GhostNetError} `GHOSTNET_PEER_NOT_INSTALLED`
   */
  async read(): Promise<{ readonly contentType: string; readonly text: string }> {
    const registry = this.#registry ?? new (promClient().Registry)();
    return { contentType: registry.contentType, text: await registry.metrics() };
  }

  close(): void {
    this.#isClosed = true;
    for (const remove of this.#removals) remove();
  }
}

function promClient(): PromClient {
  return loadPeer('prom-client', 'The address /metrics') as PromClient;
}

function ownRegistry(): Registry<RegistryContentType> | undefined {
  try {
    return new (promClient().Registry)();
  } catch {
    return undefined;
  }
}
