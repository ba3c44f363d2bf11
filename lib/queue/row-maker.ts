import { hash } from 'node:crypto';
import { types } from 'node:util';

import { fingerprintOf } from '../fingerprint.js';
import type { GhostNet } from '../model/ghostnet.js';
import type { ClassScore, PipelineOptions } from '../pipeline/index.js';
import type { ResultRow } from '../results/row.js';

/** Knows under which key a result is stored: a hash of content, model and whatever options change the result. */
export class RowMaker {
  readonly #model: string;
  readonly #options: string;

  private constructor(model: string, options: string) {
    this.#model = model;
    this.#options = options;
  }

  static async of(model: GhostNet, pipeline: PipelineOptions): Promise<RowMaker> {
    const { output = 'classify', colorProfile, decode, decoder, documents } = pipeline;
    const { precision, labels, numClasses } = model.info;
    const ofOutput =
      output === 'embed'
        ? {}
        : { topK: pipeline.topK ?? Math.min(5, numClasses), labels: sha256(JSON.stringify(labels)) };
    const options = { output, precision, colorProfile, decode, decoder, documents, ...ofOutput };
    return new RowMaker(await fingerprintOf(model), JSON.stringify(options));
  }

  /** What identifies an image, and its result. */
  keysOf(bytes: Uint8Array): Pick<ResultRow, 'key' | 'content'> {
    const content = sha256(bytes);
    return { key: sha256(`${content}\0${this.#model}\0${this.#options}`), content };
  }

  rowOf(
    keys: Pick<ResultRow, 'key' | 'content'>,
    image: string,
    result: readonly ClassScore[] | Float32Array,
  ): ResultRow {
    const own = types.isFloat32Array(result) ? { embedding: Array.from(result, short) } : { classes: result };
    return { key: keys.key, image, content: keys.content, model: this.#model, ...own };
  }
}

/** A float32 in as few digits as tell it from its neighbours. */
function short(value: number): number {
  return Number(value.toPrecision(9));
}

function sha256(data: string | Uint8Array): string {
  return hash('sha256', data, 'hex');
}
