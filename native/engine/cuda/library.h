/**
 * What the shared library ghostnet_cuda gives to the addon that opens it. The library is all that is linked
 * with CUDA: the addon, and with it every installation, does without. Both are built from one tree.
 */
#pragma once

#include "engine/cuda/device.h"

namespace ghostnet::cuda {

/** A GPU of this machine. */
struct Gpu {
  std::string name;
  int major = 0, minor = 0;  ///< compute capability
  int64_t memory = 0;        ///< bytes
};

struct Library {
  int interface;  ///< kInterface of the source it was built from
  /** @throws Error GHOSTNET_CUDA_UNAVAILABLE where there is no driver or no GPU */
  std::vector<Gpu> (*list)();
  /** @param index of a GPU in the list */
  std::unique_ptr<Device> (*open)(int index);
};

/** Goes up with every change of Library, Device or a Call. */
inline constexpr int kInterface = 2;
inline constexpr const char* kLibrarySymbol = "ghostnet_cuda_library";

}  // namespace ghostnet::cuda
