#pragma once

#include <cmath>
#include <random>

#include "engine/folded_network.h"

namespace ghostnet {

/** A network with random weights, created without LibTorch, which is not built for ThreadSanitizer. */
inline FoldedNetwork synthetic_network(const Architecture& architecture) {
  std::mt19937 random(1);
  const auto values = [&](int64_t count, int64_t fan_in) {
    std::normal_distribution<float> normal(0, 1 / std::sqrt(static_cast<float>(fan_in)));
    std::vector<float> drawn(static_cast<size_t>(count));
    for (float& value : drawn) value = normal(random);
    return drawn;
  };
  FoldedNetwork network = {make_graph(architecture), {}};
  for (const Node& node : network.graph.nodes) {
    auto& convolutions = network.nodes.emplace_back();
    for (const Convolution& layer : node.convolutions) {
      const int64_t fan_in = (layer.depthwise ? 1 : layer.in) * layer.kernel.taps();
      convolutions.push_back({values(layer.out * fan_in, fan_in), values(layer.out, 4)});
    }
  }
  return network;
}

}  // namespace ghostnet
