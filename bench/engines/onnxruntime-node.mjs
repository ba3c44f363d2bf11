import { installPeers, peer, PeersUnreachable } from '../peers.mjs';
import { serve, Unavailable } from '../serve.mjs';

await serve(async ({ onnx, values, shape, threads }) => {
  try {
    installPeers();
  } catch (error) {
    throw error instanceof PeersUnreachable ? new Unavailable(error.message) : error;
  }
  const { env, InferenceSession, Tensor } = peer('onnxruntime-node');
  // Its threads spin for work by default, which is its fastest setting.
  const settings = {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  };
  const session = await InferenceSession.create(onnx, settings);
  const [inputName] = session.inputNames;
  const [outputName] = session.outputNames;
  const feeds = { [inputName]: new Tensor('float32', values, shape) };
  return {
    name: `onnxruntime-node ${env.versions.node}`,
    settings,
    run: async () => (await session.run(feeds))[outputName],
  };
});
