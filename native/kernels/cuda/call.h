/** A launch as data: an entry of a launch plan. */
#pragma once

#include <variant>
#include <vector>

#include "kernels/cuda/ghost_module_kernels.h"
#include "kernels/cuda/layer_kernels.h"

namespace ghostnet::cuda {

/** Calls whose products tensor cores compute, if they support the dtype: exist for all dtypes. */
using ProductCall = std::variant<GpuGhostCall, GhostPrimaryCall, PointwiseCall>;
/** All other calls: exist for the dtypes in memory; they treat tf32 as float32. */
using LayerCall = std::variant<GhostCheapCall, GhostEpilogueCall, StemCall, DepthwiseCall, MeansCall,
                               DenseCall, AdditionCall, HalveCall, AttentionCall>;

using Call = std::variant<ProductCall, LayerCall, GhostModuleInTwo>;
using Calls = std::vector<Call>;

/** Launches the kernels of a call; the result says whether they were launched, not whether they ran. */
LaunchResult launch(const Call& call, CUstream_st* stream);

}  // namespace ghostnet::cuda
