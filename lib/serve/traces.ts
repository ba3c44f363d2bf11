import type * as Api from '@opentelemetry/api';

/** `@opentelemetry/api`, if it is installed: without it there are no traces. */
const api = ((): typeof Api | undefined => {
  try {
    return require('@opentelemetry/api') as typeof Api;
  } catch {
    return undefined;
  }
})();

/**
 * Runs the work of a request in the trace that its headers (`traceparent`, `tracestate`, or those of another propagator) name, so that
 * the spans of `ghostnet/opentelemetry` belong to it. A span that is active already, as of an instrumentation of HTTP, has read them.
 */
export function runInTrace<T>(carrier: object, work: () => T): T {
  if (api === undefined) return work();
  const active = api.context.active();
  if (api.trace.getSpan(active) !== undefined) return work();
  return api.context.with(api.propagation.extract(active, carrier), work);
}
