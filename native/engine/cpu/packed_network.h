/**
 * A network's weights as the engine for CPUs runs them: folded, packed for the kernels of one capability and
 * precision. Copies: the model they were taken from may train on.
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
 * @param precision for which the kernels have a row. Layers of one pixel are float32 in any case:
 * squeeze-and-excitation, head and classifier
 */
std::unique_ptr<PackedNetwork> pack_network(const FoldedNetwork& folded, const cpu::Kernels& kernels,
                                            Precision precision = Precision::float32);

}  // namespace ghostnet
