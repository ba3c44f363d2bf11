/**
 * The weights of a network on a GPU, packed once for a dtype. Launches point at them.
 */
#pragma once

#include <vector>

#include "engine/cuda/device.h"
#include "engine/folded_network.h"

namespace ghostnet::cuda {

/** The weights of one convolution, on the device. */
struct DeviceConvolution {
  const void* weight;  ///< [out][in] of the dtype; [taps][in][out] in float32 if there are several taps or it
                       ///< is depthwise
  const float* bias;
  int in, out, kernel_height, kernel_width;

  const float* taps() const { return static_cast<const float*>(weight); }
};

class DeviceWeights {
 public:
  /** Copies the weights to the device and waits for it. @throws Error GHOSTNET_OUT_OF_MEMORY */
  DeviceWeights(const std::shared_ptr<Device>& device, const FoldedNetwork& network, Precision dtype);

  Precision dtype() const { return dtype_; }
  const Architecture& architecture() const { return architecture_; }
  /** The convolutions of each node of the graph, in order. */
  const std::vector<std::vector<DeviceConvolution>>& nodes() const { return nodes_; }

 private:
  class Packer;

  Architecture architecture_;
  Precision dtype_;
  Memory memory_;
  std::vector<std::vector<DeviceConvolution>> nodes_;
};

}  // namespace ghostnet::cuda
