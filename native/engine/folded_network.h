/**
 * A network's weights with the batch normalisations folded in, as plain arrays of float32 in the layout of
 * the checkpoint: all engines are made from them. Copies: the model they were taken from may train on.
 */
#pragma once

#include <vector>

#include "model/graph.h"

namespace ghostnet {

struct FoldedConvolution {
  std::vector<float> weight;  ///< of the shape that the layer states
  std::vector<float> bias;    ///< [out]
};

struct FoldedNetwork {
  Graph graph;
  std::vector<std::vector<FoldedConvolution>> nodes;  ///< for each node its convolutions, in their order
};

}  // namespace ghostnet
