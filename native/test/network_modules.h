/** The ghost modules of a network, for tests that run each of them. */
#pragma once

#include <string>
#include <vector>

#include "model/graph.h"

namespace ghostnet {

/** One ghost module of a network: a 1x1 primary convolution, ratio 2, a cheap operation of side 3. */
struct NetworkModule {
  std::string name;
  int in_channels, intrinsic, out_channels;
  int side;   ///< of its planes
  bool relu;  ///< in the first module of a bottleneck; the second adds the shortcut instead
};

/** In the order in which they run, for square images. */
inline std::vector<NetworkModule> ghost_modules(const Architecture& network, int image_side) {
  std::vector<NetworkModule> modules;
  for (const Node& node : make_graph(network, image_side, image_side).nodes) {
    if (node.kind != NodeKind::ghost_module) continue;
    const Convolution& primary = node.convolutions[0];
    modules.push_back({node.name, static_cast<int>(primary.in), static_cast<int>(primary.out),
                       static_cast<int>(node.output.channels), static_cast<int>(node.output.height),
                       primary.activation == Activation::relu});
  }
  return modules;
}

}  // namespace ghostnet
