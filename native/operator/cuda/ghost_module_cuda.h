/** The CUDA backend of the operator ghostnet::ghost_module. Built only against a LibTorch with CUDA. */
#pragma once

#include <optional>

#include "kernels/cuda/launch_result.h"
#include "operator/ghost_module_op.h"

namespace ghostnet {

/** The dtype of the kernels that compute with this tensor; empty if there are none. */
std::optional<Precision> dtype_of(const torch::Tensor& tensor);

/**
 * As ghost_module_reference, on a GPU, for a cheap operation of side 1 to 7 and tensors of one dtype among
 * float32, float16 and bfloat16: one fused kernel if the primary convolution is 1x1 with stride 1, else
 * cuDNN's convolution and one kernel for the rest. Plain ATen for everything else. Runs on the current stream
 * of x's device. The result is in channels-last memory.
 * @throws c10::ValueError if the arguments do not match each other
 * @throws c10::NotImplementedError on a GPU below compute capability 8.0
 */
torch::Tensor ghost_module_cuda(const GhostModuleArguments& arguments);

/** Adds the backend to the operator, after register_operators(). A second call does nothing. */
void register_cuda_operators();

}  // namespace ghostnet
