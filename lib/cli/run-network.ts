import type { GhostNet } from '../model/ghostnet.js';
import type { Tensor } from '../tensor.js';

/** Runs as much of a network as there is: to the logits, or to the embedding if it has no classifier. */
export function runNetwork(model: GhostNet, input: Tensor<'uint8'>): Promise<Tensor<'float32'>> {
  return model.info.numClasses === 0 ? model.embed(input) : model.forward(input);
}
