#pragma once

#include "operator/ghost_module_op.h"

namespace ghostnet {

/**
 * ghostnet::ghost_module on the CPU: the fused pass of kernels/cpu/ghost_module.h for the modules of the
 * network, float32 with a 1x1 primary convolution of stride 1 and a ratio of 2; the reference for all others.
 */
torch::Tensor ghost_module_cpu(const GhostModuleArguments& arguments);

}  // namespace ghostnet
