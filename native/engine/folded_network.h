/**
 * The weights of a network with the batch normalisations folded in, as float32 arrays in the layout of the
 * checkpoint. All engines are built from them. They are copies: the original model may continue training.
 */
#pragma once

#include <vector>

#include "model/graph.h"

namespace ghostnet {

struct FoldedConvolution {
  std::vector<float> weight;  ///< with the shape of the layer
  std::vector<float> bias;    ///< [out]
};

struct FoldedNetwork {
  Graph graph;
  std::vector<std::vector<FoldedConvolution>> nodes;  ///< the convolutions of each node, in order
};

}  // namespace ghostnet
