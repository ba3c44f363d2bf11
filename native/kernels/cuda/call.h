/** A launch as data: what a plan for the GPU is a list of. */
#pragma once

#include <variant>
#include <vector>

#include "kernels/cuda/ghost_module_kernels.h"
#include "kernels/cuda/layer_kernels.h"

namespace ghostnet::cuda {

/** Whose products tensor cores make, where a dtype has them: there for all dtypes. */
using ProductCall = std::variant<GpuGhostCall, GhostPrimaryCall, PointwiseCall>;
/** All others: there for the dtypes that memory has, tf32 being float32 to them. */
using LayerCall = std::variant<GhostCheapCall, GhostEpilogueCall, StemCall, DepthwiseCall, MeansCall,
                               DenseCall, AdditionCall>;

using Call = std::variant<ProductCall, LayerCall, GhostModuleInTwo>;
using Calls = std::vector<Call>;

LaunchResult launch(const Call& call, CUstream_st* stream);

}  // namespace ghostnet::cuda
