/**
 * A network's weights as the engine runs them: batch normalisations folded in, packed for the kernels of one
 * capability. Copies: the model they were taken from may train on.
 */
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/precision.h"
#include "model/architecture.h"
#include "ops/cpu/ghost_module.h"

namespace ghostnet {

class GhostNetImpl;

struct PackedSqueezeExcite {
  cpu::PackedRows reduce, expand;
};

struct PackedShortcut {
  cpu::PackedDepthwise spatial;
  cpu::PackedProduct pointwise;
};

struct PackedBottleneck {
  std::string name;  ///< as in the checkpoint, "blocks.0.0"
  int64_t stride;
  cpu::PackedGhostModule ghost1, ghost2;
  std::optional<cpu::PackedDepthwise> strided;
  std::optional<PackedSqueezeExcite> squeeze_excite;
  std::optional<PackedShortcut> shortcut;
};

struct PackedNetwork {
  Precision precision = Precision::float32;
  cpu::PackedProduct stem;  ///< of the kernel's rows, [3][3 pixels of 3 channels]
  std::vector<PackedBottleneck> blocks;
  cpu::PackedProduct last;
  cpu::PackedRows head, classifier;
};

/**
 * @param net in evaluation; its weights are copied
 * @param precision bfloat16 where the capability has_bfloat16(). Layers of one pixel are float32 in any case:
 * squeeze-and-excitation, head and classifier
 */
PackedNetwork pack_network(GhostNetImpl& net, cpu::Capability capability,
                           Precision precision = Precision::float32);

}  // namespace ghostnet
