/**
 * The interface between the GPU library and the addon that opens it. Only the library is linked with CUDA;
 * the addon works without it. Both are built from the same sources.
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
  int interface;  ///< kInterface of the sources it was built from
  /** @throws Error GHOSTNET_CUDA_UNAVAILABLE if there is no driver or no GPU */
  std::vector<Gpu> (*list)();
  /** @param index of a GPU in the list */
  std::unique_ptr<Device> (*open)(int index);
};

/** Incremented with every change of Library, Device or a Call. */
inline constexpr int kInterface = 2;
inline constexpr const char* kLibrarySymbol = "ghostnet_cuda_library";

}  // namespace ghostnet::cuda
