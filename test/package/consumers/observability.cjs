const { GhostNet } = require('ghostnet');
const { instrument } = require('ghostnet/opentelemetry');
const { registerMetrics } = require('ghostnet/prometheus');

async function main() {
  const model = await GhostNet.load();
  const pipeline = model.pipeline();
  const stop = instrument();
  registerMetrics(pipeline, { model: 'everyday' });
  await pipeline.run(process.argv[2]);
  stop();
  console.log(
    (await require('prom-client').register.metrics()).match(/^nv_inference_request_success.*$/m)[0],
  );
}
void main();
