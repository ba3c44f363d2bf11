#pragma once

#include <memory>

#include "engine/cuda/library.h"

namespace ghostnet::cuda {

/** @throws Error GHOSTNET_CUDA_UNAVAILABLE if there is no driver or no GPU */
std::vector<Gpu> list_cuda_gpus();

/** @throws Error GHOSTNET_CUDA_FAILED */
std::unique_ptr<Device> open_cuda_device(int index);

}  // namespace ghostnet::cuda
