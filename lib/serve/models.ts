import { unknownModel } from './faults.js';
import { Serving } from './model.js';
import type { ServedModel } from './options.js';

/** The models of a server, by name and version. */
export class Models {
  readonly all: readonly Serving[];
  readonly #byName = new Map<string, Serving[]>();
  readonly #drained = new AbortController();

  constructor(models: readonly Required<ServedModel>[]) {
    this.all = models.map((model) => new Serving(model));
    for (const serving of this.all) {
      const versions = this.#byName.get(serving.name);
      if (versions === undefined) this.#byName.set(serving.name, [serving]);
      else versions.push(serving);
    }
  }

  /** Whether all models are warm, and the server does not end. */
  get isReady(): boolean {
    return !this.isDraining && this.all.every(({ isReady }) => isReady);
  }

  /** Fires when the server begins to end. */
  get draining(): AbortSignal {
    return this.#drained.signal;
  }

  get isDraining(): boolean {
    return this.draining.aborted;
  }

  /** Resolves when all models are warm. */
  async whenReady(): Promise<void> {
    await Promise.all(this.all.map(({ whenReady }) => whenReady));
  }

  /**
   * A model by name; without a version the latest, the one that was given last.
   *
   * @throws {@link GhostNetError} `GHOSTNET_UNKNOWN_MODEL`
   */
  find(name: string | undefined, version?: string): Serving {
    // A server of one model needs no name.
    const versions = name === undefined ? this.all : (this.#byName.get(name) ?? []);
    const found = version === undefined ? versions.at(-1) : versions.find((one) => one.version === version);
    if (found === undefined) {
      const isName = version === undefined || versions.length === 0;
      const there = isName ? [...this.#byName.keys()] : versions.map((one) => one.version);
      throw unknownModel(name ?? '', isName ? undefined : version, there);
    }
    return found;
  }

  /** The versions of a model. */
  versionsOf(name: string): readonly string[] {
    return (this.#byName.get(name) ?? []).map(({ version }) => version);
  }

  /** Switches readiness off. */
  drain(): void {
    this.#drained.abort();
  }

  /** Resolves when all that was taken has settled. */
  async close(): Promise<void> {
    this.drain();
    await Promise.all(this.all.map((serving) => serving.close()));
  }

  async destroy(): Promise<void> {
    this.drain();
    await Promise.all(this.all.map((serving) => serving.destroy()));
  }
}
