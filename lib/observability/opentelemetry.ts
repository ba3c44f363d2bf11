/**
 * Traces of pipelines for OpenTelemetry, through `@opentelemetry/api`.
 *
 * @module ghostnet/opentelemetry
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';

import type { Attributes, Context, Span, TracerProvider } from '@opentelemetry/api';

import { checkObject, invalidArgument } from '../check/option.js';
import { manifest } from '../package-files.js';
import { imageChannel, rejectedChannel, type ImageEvent, type RejectedEvent } from '../pipeline/events.js';
import { loadPeer } from './peer.js';

type Api = typeof import('@opentelemetry/api');

/** Options of {@link instrument}. */
export interface InstrumentOptions {
  /** Where the spans go. Default: the global provider. */
  readonly tracerProvider?: TracerProvider;
  /** Further attributes of an image's span, for example the name of the model. Called with the pipeline for each image. */
  readonly attributes?: (pipeline: object) => Attributes;
}

/**
 * Creates a span for each image of each pipeline in this process, with a child span for each of its stages. Its parent is the
 * span that was active when `run()` was called, or when a stream took the image from its source. The spans are created when the
 * image has settled, with the times at which things happened.
 *
 * @returns a function that ends it
 * @throws `GhostNetError` `GHOSTNET_PEER_NOT_INSTALLED`, `GHOSTNET_INVALID_ARGUMENT`
 *
 * @example
 * ```ts
 * const stop = instrument();
 * ```
 */
export function instrument(options: InstrumentOptions = {}): () => void {
  checkObject('options', options);
  const { tracerProvider, attributes = () => ({}) } = options;
  if (tracerProvider !== undefined && !isProvider(tracerProvider))
    throw invalidArgument('The option tracerProvider is none', tracerProvider, 'a TracerProvider');
  if (typeof attributes !== 'function')
    throw invalidArgument('The option attributes is no function', attributes, 'a function');
  const api = loadPeer('@opentelemetry/api', 'ghostnet/opentelemetry') as Api;
  const { onImage, onRejected } = new Recorder(api, tracerProvider ?? api.trace, attributes);
  subscribe(imageChannel.name, onImage);
  subscribe(rejectedChannel.name, onRejected);
  return () => {
    unsubscribe(imageChannel.name, onImage);
    unsubscribe(rejectedChannel.name, onRejected);
  };
}

function isProvider(value: unknown): boolean {
  return typeof (value as Partial<TracerProvider> | null)?.getTracer === 'function';
}

/** Makes spans of events, in the asynchronous context in which they are published: that of the caller. */
class Recorder {
  readonly #api: Api;
  /**
   * Asked for a tracer each time. The application may have another copy of the API, for which it sets the global provider later;
   * then a tracer of this copy would remain without effect.
   */
  readonly #provider: Pick<TracerProvider, 'getTracer'>;
  readonly #attributes: (pipeline: object) => Attributes;

  constructor(
    api: Api,
    provider: Pick<TracerProvider, 'getTracer'>,
    attributes: (pipeline: object) => Attributes,
  ) {
    this.#api = api;
    this.#provider = provider;
    this.#attributes = attributes;
  }

  readonly onImage = (event: unknown): void => {
    this.#attempt(() => {
      this.#image(event as ImageEvent);
    });
  };

  readonly onRejected = (event: unknown): void => {
    this.#attempt(() => {
      this.#rejected(event as RejectedEvent);
    });
  };

  /** An error of a subscriber would end the process. */
  #attempt(record: () => void): void {
    try {
      record();
    } catch (error) {
      this.#api.diag.error('ghostnet/opentelemetry: a span was not recorded', error);
    }
  }

  #image(event: ImageEvent): void {
    const { pipeline, outcome, error, enqueuedAt, settledAt } = event;
    const origin = timeOrigin();
    const span = this.#start('ghostnet.image', origin + enqueuedAt, {
      ...this.#attributes(pipeline),
      'ghostnet.image.outcome': outcome,
    });
    if (span.isRecording()) {
      this.#stages(event, origin, this.#api.trace.setSpan(this.#api.context.active(), span));
      if (outcome !== 'succeeded') {
        this.#fail(span, error);
        span.recordException(error as Error, origin + settledAt);
      }
    }
    span.end(origin + settledAt);
  }

  /** A span for each stage that began. It ends where the next begins, and the last one where the image settled. */
  #stages(event: ImageEvent, origin: number, context: Context): void {
    const { outcome, error, enqueuedAt, startedAt, readyAt, computedAt, settledAt } = event;
    const decoded = {
      'ghostnet.decode.milliseconds': event.decodeMs,
      'ghostnet.decode.scale': event.scale / 8,
    };
    const stages: [string, number, number, Attributes][] = [
      ['ghostnet.queue', enqueuedAt, startedAt, {}],
      ['ghostnet.decode', startedAt, readyAt, readyAt === 0 ? {} : decoded],
      ['ghostnet.wait', readyAt, computedAt, {}],
      ['ghostnet.compute', computedAt, 0, { 'ghostnet.batch.size': event.batchSize }],
    ];
    for (const [name, start, next, attributes] of stages) {
      if (start === 0) return;
      const span = this.#start(name, origin + start, attributes, context);
      if (next === 0 && outcome !== 'succeeded') this.#fail(span, error);
      span.end(origin + (next === 0 ? settledAt : next));
    }
  }

  /** An image that found the queue full: a moment. */
  #rejected({ pipeline }: RejectedEvent): void {
    const now = timeOrigin() + performance.now();
    const attributes = { ...this.#attributes(pipeline), 'ghostnet.image.outcome': 'rejected' };
    const span = this.#start('ghostnet.image', now, attributes);
    this.#fail(span, { code: 'GHOSTNET_QUEUE_FULL', message: 'The queue of the pipeline is full' });
    span.end(now);
  }

  #start(
    name: string,
    startTime: number,
    attributes: Attributes,
    context = this.#api.context.active(),
  ): Span {
    const tracer = this.#provider.getTracer(manifest.name, manifest.version);
    return tracer.startSpan(name, { startTime, attributes }, context);
  }

  #fail(span: Span, error: unknown): void {
    const { code, name, message } = (error ?? {}) as { code?: string; name?: string; message?: string };
    span.setAttribute('error.type', code ?? name ?? '_OTHER');
    span.setStatus({ code: this.#api.SpanStatusCode.ERROR, message: message ?? '' });
  }
}

/**
 * The time since 1970, in milliseconds, at which `performance.now()` was 0. If the clock of the system was set meanwhile, as after
 * a pause of a virtual machine, by that clock: the other spans of a trace follow it.
 */
function timeOrigin(): number {
  const origin = Date.now() - performance.now();
  return Math.abs(origin - performance.timeOrigin) < 10 ? performance.timeOrigin : origin;
}
