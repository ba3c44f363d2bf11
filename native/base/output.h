#pragma once

namespace ghostnet {

/** What a run gives back. */
enum class Output {
  logits,    ///< [N,num_classes]
  features,  ///< [N,kFeatureChannels], what the classifier sees: the embedding
};

}  // namespace ghostnet
