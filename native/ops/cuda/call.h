/** A launch as data: what a plan for the GPU is a list of. */
#pragma once

#include <variant>
#include <vector>

#include "ops/cuda/ghost_module_kernels.h"
#include "ops/cuda/layer_kernels.h"

namespace ghostnet::cuda {

/** A ghost module that runs in two kernels; see launch_ghost_module_in_two. */
struct GhostModuleInTwo {
  GpuGhostCall call;
};

using Call = std::variant<StemCall, GpuGhostCall, GhostModuleInTwo, DepthwiseCall, PointwiseCall, MeansCall,
                          DenseCall, AdditionCall>;
using Calls = std::vector<Call>;

LaunchResult launch(const Call& call, CUstream_st* stream);

}  // namespace ghostnet::cuda
