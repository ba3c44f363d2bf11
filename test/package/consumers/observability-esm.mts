import { trace } from '@opentelemetry/api';
import type { ClassScore, Pipeline } from 'ghostnet';
import { instrument, type InstrumentOptions } from 'ghostnet/opentelemetry';
import { registerMetrics, type MetricsOptions } from 'ghostnet/prometheus';
import { Registry } from 'prom-client';

export function observe(
  pipeline: Pipeline<ClassScore[]>,
  others: readonly Pipeline<Float32Array>[],
): () => void {
  const metrics: MetricsOptions = { model: 'everyday', version: '2', register: new Registry() };
  const unregister = registerMetrics(pipeline, metrics);
  for (const other of others) registerMetrics(other, { model: 'embeddings' });
  const traces: InstrumentOptions = {
    tracerProvider: trace.getTracerProvider(),
    attributes: (of) => ({ first: of === pipeline }),
  };
  const stop = instrument(traces);
  return () => {
    unregister();
    stop();
  };
}
