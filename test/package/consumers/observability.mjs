import { GhostNet } from 'ghostnet';
import { instrument } from 'ghostnet/opentelemetry';
import { registerMetrics } from 'ghostnet/prometheus';

const model = await GhostNet.load();
const pipeline = model.pipeline();
try {
  const stop = instrument();
  registerMetrics(pipeline, { model: 'everyday' });
  const { register } = await import('prom-client');
  await pipeline.run(process.argv[2]);
  stop();
  console.log((await register.metrics()).match(/^nv_inference_request_success.*$/m)[0]);
} catch ({ code, remedy }) {
  console.log(code, remedy);
}
