/**
 * A network's weights on a GPU, packed once for a dtype: what launches point at. Free of LibTorch.
 */
#pragma once

#include <optional>
#include <vector>

#include "engine/cuda/device.h"
#include "engine/folded_network.h"

namespace ghostnet::cuda {

/** A 1x1 convolution or a dense layer: weight [out][in] of the dtype. */
struct DeviceMatrix {
  const void* weight;
  const float* bias;
  int in, out;
};

/** Weight [size^2][channels], or the stem's [3][3][3][channels], in float32. */
struct DeviceTaps {
  const float* weight;
  const float* bias;
  int channels, size;
};

struct DeviceGhostModule {
  DeviceMatrix primary;
  DeviceTaps cheap;
  int ratio, out;
  bool relu;
};

struct DeviceBottleneck {
  int stride;
  DeviceGhostModule ghost1, ghost2;
  std::optional<DeviceTaps> strided;
  struct SqueezeExcite {
    DeviceMatrix reduce, expand;
  };
  std::optional<SqueezeExcite> squeeze_excite;
  struct Shortcut {
    DeviceTaps spatial;
    DeviceMatrix pointwise;
  };
  std::optional<Shortcut> shortcut;
};

class DeviceWeights {
 public:
  /** Copies the weights to the device and waits for it. @throws Error GHOSTNET_OUT_OF_MEMORY */
  DeviceWeights(const std::shared_ptr<Device>& device, const FoldedNetwork& network, NumberType dtype);

  NumberType dtype() const { return dtype_; }
  size_t bytes() const { return memory_.size(); }

  DeviceTaps stem;
  std::vector<DeviceBottleneck> blocks;
  DeviceMatrix last, head, classifier;

 private:
  class Packer;

  NumberType dtype_;
  Memory memory_;
};

}  // namespace ghostnet::cuda
