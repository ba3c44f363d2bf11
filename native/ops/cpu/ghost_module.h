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

template <typename Value>
struct GhostModuleCall {
  RowsOf<const Value> input;  ///< [height][width][in]
  int64_t height, width;
  const float* gate;             ///< [in], factors of the input channels, or null
  RowsOf<const Value> residual;  ///< [height][width][out], added last; without data, or `output` itself
  RowsOf<Value> output;          ///< [height][width][out]
  float* row_sums;               ///< [height][out], the sum over each row of output pixels, or null
};

/** What one pass computes. */
struct GhostModulePart {
  Range rows;    ///< of the output
  Range panels;  ///< of the primary product: their columns, and the ghosts of these
  /**
   * Whether the pass goes on where another one over the same columns has ended, in the same memory and the
   * same output. The first pass begins at row 0.
   */
  bool resumes;
};

/** How far a ghost row looks for intrinsic rows above and below. */
inline int64_t reach_of(const PackedGhostModule& module) { return module.cheap.kernel / 2; }

/** Values in a row of the intrinsic maps that a pass keeps. */
int64_t kept_row_size(const Kernels& kernels, const PackedGhostModule& module, int64_t width);

/** Rows that a pass which resumes none keeps. */
int64_t kept_rows(const PackedGhostModule& module, int64_t height, int64_t width);

/** Whether intrinsic maps are kept at all by a pass that resumes; else it finds them in the output. */
bool keeps_rows(const Kernels& kernels, const PackedGhostModule& module, bool has_residual);

/** Values of memory for weights, or for input, that a gate has scaled. */
int64_t gated_size(const Kernels& kernels, const PackedGhostModule& module);

/**
 * Computes a part. Parts may be computed at the same time; together they give the same bits as one pass over
 * everything.
 * @param memory kept rows, of this thread alone
 * @param gated gated_size values of this thread alone, with a gate
 */
template <typename Value>
void run_ghost_module(const KernelsOn<Value>& kernels, const PackedGhostModule& module,
                      const GhostModuleCall<Value>& call, const GhostModulePart& part,
                      const RowsOf<Value>& memory, Value* gated);

}  // namespace ghostnet::cpu
