/**
 * Calls of the CUDA kernels of the ghost module: plain pointers and numbers.
 *
 * The layout is NHWC. Weights are folded (runtime/fold.h) and packed: the primary weight is
 * [intrinsic][in_channels] in the dtype of the activations; biases and the cheap operation's weight
 * [cheap_size^2][ghosts] are float32 in every dtype. Sums are float32; values are rounded once, when
 * stored, and the ghosts are computed from the rounded intrinsic maps, as in LibTorch.
 *
 * Source: arXiv 1911.11907, section 3.1. Compute capability 8.0 or later.
 */
#pragma once

#include "kernels/cuda/launch_result.h"

namespace ghostnet::cuda {

/** One ghost module with a 1x1 primary convolution of stride 1, on one batch: the common part of the calls of
 * its kernels. All pointers are device pointers. */
struct GpuGhostModule {
  Precision dtype = Precision::float32;
  const void* x = nullptr;               ///< [batch,height,width,in_channels]
  const void* primary_weight = nullptr;  ///< [intrinsic][in_channels]
  const float* primary_bias = nullptr;   ///< [intrinsic]
  const float* cheap_weight = nullptr;   ///< [cheap_size^2][intrinsic*(ratio-1)]
  const float* cheap_bias = nullptr;     ///< [intrinsic*(ratio-1)]
  /** Multiplies x by channel, rounded to the dtype; [batch,in_channels], in_channels a multiple of 4, aligned
   * to 16 bytes; may be null. */
  const float* gate = nullptr;
  const void* residual = nullptr;  ///< added to the result, [batch,height,width,out_channels]; may be null
  void* out = nullptr;             ///< [batch,height,width,out_channels]; overlaps none of the above
  int64_t batch = 0;               ///< 0 launches nothing
  int height = 0, width = 0;       ///< >= 1
  int in_channels = 0;             ///< >= 1
  int intrinsic = 0;               ///< maps of the primary convolution, >= 1
  int ratio = 2;                   ///< >= 2: ratio - 1 ghosts per intrinsic map
  int cheap_size = 3;              ///< side of the cheap operation: 1, 3, 5 or 7
  int out_channels = 0;            ///< 1 to intrinsic*ratio: the concatenation is cut to this number
  bool relu = true;                ///< after both convolutions

  bool supported() const;
};

/** The whole module in one kernel: only input and output are read from and written to memory. */
struct GpuGhostCall : GpuGhostModule {};

/**
 * The same in two kernels that both write to `out`, the baseline for the fused kernel. Supports no residual:
 * intrinsic maps could not be read back after it was added.
 */
struct GhostModuleInTwo : GpuGhostModule {
  bool supported() const { return residual == nullptr && GpuGhostModule::supported(); }
};
/** The first of the two kernels: the primary convolution with its epilogue. */
struct GhostPrimaryCall : GpuGhostModule {};
/** The second kernel: the cheap operation with its epilogue, which reads the intrinsic maps back. */
struct GhostCheapCall : GpuGhostModule {};

/**
 * The rest of a module whose primary convolution was computed elsewhere, because it is larger than 1x1 or
 * strided: bias and ReLU, the cheap operation and the concatenation, in one kernel. x contains the sums of
 * the primary convolution without its bias, in_channels is `intrinsic`, primary_weight is ignored, and gate
 * must be null.
 */
struct GhostEpilogueCall : GpuGhostModule {
  bool supported() const {
    return gate == nullptr && in_channels == intrinsic && GpuGhostModule::supported();
  }
};

}  // namespace ghostnet::cuda
