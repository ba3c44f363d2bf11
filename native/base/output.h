#pragma once

namespace ghostnet {

/** The output of a run. */
enum class Output {
  logits,    ///< [N,num_classes]
  features,  ///< [N,kFeatureChannels], the input of the classifier: the embedding
};

}  // namespace ghostnet
