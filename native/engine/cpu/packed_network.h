/**
 * The weights of a network for the CPU engine: folded, and packed for the kernels of one capability and
 * precision. They are copies: the original model may continue training.
 */
#pragma once

#include <memory>

#include "engine/cpu/image_plan.h"
#include "engine/folded_network.h"

namespace ghostnet {

class PackedNetwork {
 public:
  PackedNetwork(const Architecture& architecture, const cpu::Kernels& kernels, Precision precision)
      : architecture(architecture), kernels(kernels), precision(precision) {}
  virtual ~PackedNetwork() = default;
  PackedNetwork(const PackedNetwork&) = delete;  // plans point into it
  PackedNetwork& operator=(const PackedNetwork&) = delete;

  /** How an image of this size becomes the means before the head. */
  virtual ImagePlan plan(DType input, int64_t height, int64_t width, int team_size) const = 0;

  const Architecture architecture;
  const cpu::Kernels kernels;
  const Precision precision;
  cpu::PackedRows head, classifier;
};

/**
 * @param precision with a row in the kernel table. Layers of one pixel are always float32:
 * squeeze-and-excitation, head and classifier
 */
std::unique_ptr<PackedNetwork> pack_network(const FoldedNetwork& folded, const cpu::Kernels& kernels,
                                            Precision precision = Precision::float32);

}  // namespace ghostnet
