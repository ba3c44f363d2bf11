#pragma once

#include <map>
#include <optional>
#include <string>

#include "base/array.h"

namespace ghostnet {

struct GhostModuleRun {
  std::optional<int64_t> out_channels;  ///< default: all channels that the weights produce
  int64_t stride = 1;                   ///< of the primary convolution
  bool relu = true;                     ///< after both convolutions
};

/**
 * Runs one ghost module through the operator ghostnet::ghost_module.
 * @param x float32 [N,C,H,W]
 * @param weights either folded: primary_weight, primary_bias, cheap_weight, cheap_bias
 * (operator/ghost_module_op.h), or a state dict of the reference's GhostModule: primary_conv.{0.weight,1.*},
 * cheap_operation.{0.weight,1.*}, whose batch normalisations are folded first
 * @param threads from 1 to kMaxThreads
 * @return float32 [N,out_channels,H',W']
 * @throws Error GHOSTNET_PARAMETERS_MISMATCH if weights are missing; GHOSTNET_INVALID_ARGUMENT or
 * GHOSTNET_BAD_DTYPE if they do not match each other or x
 */
Array run_ghost_module(const ArrayView& x, const std::map<std::string, ArrayView>& weights,
                       const GhostModuleRun& call, int threads);

}  // namespace ghostnet
