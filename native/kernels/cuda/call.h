/** A launch as data: what a plan for the GPU is a list of. */
#pragma once

#include <variant>
#include <vector>

#include "kernels/cuda/ghost_module_kernels.h"
#include "kernels/cuda/layer_kernels.h"

namespace ghostnet::cuda {

/** Calls that multiply on tensor cores if the dtype allows it: compiled for every dtype. */
using ProductCall = std::variant<GpuGhostCall, GhostPrimaryCall, PointwiseCall>;
/** All other calls: compiled for every dtype of memory. They compute tf32 as float32. */
using LayerCall = std::variant<GhostCheapCall, GhostEpilogueCall, StemCall, DepthwiseCall, MeansCall,
                               DenseCall, AdditionCall>;

using Call = std::variant<ProductCall, LayerCall, GhostModuleInTwo>;
using Calls = std::vector<Call>;

/** Launches the kernels of a call; the result says whether they were launched, not whether they ran. */
LaunchResult launch(const Call& call, CUstream_st* stream);

}  // namespace ghostnet::cuda
