/** The ghost modules that a network consists of, for tests that run each of them. */
#pragma once

#include <string>
#include <vector>

#include "model/architecture.h"

namespace ghostnet {

/** One ghost module of a network: a 1x1 primary convolution, ratio 2, a cheap operation of side 3. */
struct NetworkModule {
  std::string name;
  int in_channels, intrinsic, out_channels;
  int side;   ///< of its planes
  bool relu;  ///< the first of a bottleneck; the second adds the shortcut instead
};

/** In the order they run, for square images. */
inline std::vector<NetworkModule> ghost_modules(const Architecture& network, int image_side) {
  std::vector<NetworkModule> modules;
  int side = image_side / 2;  // behind the stem
  int channels = static_cast<int>(network.stem_channels());
  const auto add = [&](const std::string& name, int in, int out, bool relu) {
    modules.push_back({name, in, (out + 1) / 2, out, side, relu});
  };
  for (size_t stage = 0; stage < network.stages.size(); ++stage) {
    for (size_t index = 0; index < network.stages[stage].size(); ++index) {
      const BlockSpec& block = network.stages[stage][index];
      const std::string name = "blocks." + std::to_string(stage) + "." + std::to_string(index);
      const int expansion = static_cast<int>(network.scaled(block.expansion));
      const int out = static_cast<int>(network.scaled(block.out));
      add(name + ".ghost1", channels, expansion, true);
      side = (side + static_cast<int>(block.stride) - 1) / static_cast<int>(block.stride);
      add(name + ".ghost2", expansion, out, false);
      channels = out;
    }
  }
  return modules;
}

}  // namespace ghostnet
