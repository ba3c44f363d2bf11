/** The GPUs of this machine, through the GPU library. Without CUDA's headers. */
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/cuda/library.h"

namespace ghostnet::cuda {

/**
 * Opens the library, once per process, and lists the GPUs.
 * @param path of the library; empty if none is installed
 * @throws Error GHOSTNET_CUDA_NOT_INSTALLED, GHOSTNET_CUDA_UNAVAILABLE
 */
std::vector<Gpu> list_gpus(const std::string& path);

/**
 * A GPU of the list, shared by the whole process; call list_gpus() first.
 * @throws Error GHOSTNET_CUDA_UNAVAILABLE if there are fewer GPUs, GHOSTNET_CUDA_UNSUPPORTED if it is too old
 */
std::shared_ptr<Device> open_gpu(int index);

}  // namespace ghostnet::cuda
