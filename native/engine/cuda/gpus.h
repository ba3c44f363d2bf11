/** The GPUs of this machine, through the shared library ghostnet_cuda. Free of CUDA and of LibTorch. */
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "engine/cuda/library.h"

namespace ghostnet::cuda {

/**
 * Opens the library, once in a process, and lists the GPUs.
 * @param path of the library; empty where none is installed
 * @throws Error GHOSTNET_CUDA_NOT_INSTALLED, GHOSTNET_CUDA_UNAVAILABLE
 */
std::vector<Gpu> list_gpus(const std::string& path);

/**
 * A GPU of the list, the same for the whole process; after list_gpus().
 * @throws Error GHOSTNET_CUDA_UNAVAILABLE when there are fewer, GHOSTNET_CUDA_UNSUPPORTED when it is too old
 */
std::shared_ptr<Device> open_gpu(int index);

}  // namespace ghostnet::cuda
