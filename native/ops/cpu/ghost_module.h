/**
 * The ghost module as one pass over tiles of rows: the primary product writes its part of every output pixel,
 * and the cheap operation writes the other part from rows that are still in the cache. Free of LibTorch.
 */
#pragma once

#include "ops/cpu/packing.h"

namespace ghostnet::cpu {

/** A ghost module with a 1x1 primary convolution and one ghost an intrinsic map, cut to its output channels.
 */
struct PackedGhostModule {
  PackedProduct primary;  ///< [intrinsic maps][channels in]
  PackedDepthwise cheap;  ///< of the first `channels` intrinsic maps
  bool relu = true;

  int64_t in() const { return primary.depth; }
  int64_t out() const { return primary.columns + cheap.channels; }
};

struct GhostModuleCall {
  const float* input;  ///< [height][width][in]
  int64_t height, width;
  const float* gate;      ///< [in], factors of the input channels, or null
  const float* residual;  ///< [height][width][out], added last, or null; may be `output` itself
  float* output;          ///< [height][width][out]
  float* row_sums;        ///< [height][out], the sum over each row of output pixels, or null
};

/** Floats of scratch memory that a pass over any part of the module takes. */
int64_t ghost_module_scratch(const Kernels& kernels, const PackedGhostModule& module, int64_t height,
                             int64_t width, bool gated);

/**
 * Computes the output rows `rows` of the columns that the primary panels `panels` make, and of their ghosts.
 * Parts may be computed at the same time; together they give the same bits as one pass over everything.
 * @param scratch of this thread alone
 */
void run_ghost_module(const Kernels& kernels, const PackedGhostModule& module, const GhostModuleCall& call,
                      Range rows, Range panels, float* scratch);

}  // namespace ghostnet::cpu
