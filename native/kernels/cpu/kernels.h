/**
 * The CPU kernels of the engine and of the operator: one table of functions per capability. Activations are
 * float32 or bfloat16 with the channels of a pixel contiguous (NHWC). Kernels take pointers, write only to
 * their outputs, allocate nothing and never throw. See kernel_table.h for the tables.
 *
 * Every value is computed in the same order of arithmetic in every tile: a sum over the depth of a product or
 * the taps of a convolution starts at the bias and adds one fused multiply-add after another, or, in a
 * product of bfloat16, one pair of products after another. So the bits of the results do not depend on the
 * tiling.
 */
#pragma once

#include <cstdint>

#include "base/kernel_size.h"
#include "kernels/cpu/resize.h"

// For functions that take vectors by reference: called, they would go through memory.
#define GHOSTNET_INLINE [[gnu::always_inline]] inline

namespace ghostnet::cpu {

/** The upper half of a float32, a storage type for activations and the weights of products. */
enum class BFloat16 : uint16_t {};

/** What the values of an output are multiplied by: a pixel of factors for each of its pixels. */
template <typename Value>
struct Factors {
  const Value* const* pixels = nullptr;  ///< or null
  int64_t first = 0;                     ///< the place in such a pixel of the factor of the first channel
};

/**
 * Rows of pixels times a panel of packed weights: out[i][j] = relu?(bias[j] + sum over a[i] * panel[.][j]) *
 * factors[i][j] + residual[i][j].
 *
 * A row of `a` is `segments` runs of `depth` values, `segment_stride` apart: a single run for a 1x1
 * convolution, one per kernel row for a larger convolution.
 *
 * A panel of bfloat16 interleaves two rows of each segment, so that the two values of a column are adjacent;
 * if the depth is odd, the second row of the last pair is not used.
 */
template <typename Value>
struct ProductOf {
  const Value* a;
  int64_t row_stride;  ///< values from one row of `a` to the next
  int64_t segments, segment_stride, depth;
  int64_t rows;
  const Value* panel;    ///< [segments*depth] rows of `vectors` vectors, zeros after the last column
  int64_t panel_stride;  ///< values from one row of the panel, or pair of rows, to the next
  const float* bias;     ///< whole vectors
  int64_t vectors;       ///< 1 to 3
  bool half;             ///< whether the vectors are half vectors, of which there are one or three
  int64_t columns;       ///< written to `out`, including at least one of the last vector
  bool relu;
  Factors<Value> factors;  ///< [rows], after the ReLU
  const Value* residual;   ///< [rows][out_stride] added last, or null; may be `out` itself
  Value* out;              ///< or null if only `plain` is written
  int64_t out_stride;
  Value* plain;  ///< the values before factors and residual, whole vectors, or null
  int64_t plain_stride;
};
using Product = ProductOf<float>;

/** One row of values times a matrix in panels: a convolution on a 1x1 plane. */
struct RowProduct {
  const float* a;  ///< [depth]
  int64_t depth;
  const float* weights;  ///< panels of kRowPanel vectors: [panels][depth][kRowPanel*lanes]
  const float* bias;     ///< [panels*kRowPanel*lanes]
  int64_t panels;
  int64_t columns;  ///< written to `out`
  bool relu;
  float* out;
};

/** Vectors per panel of a RowProduct: at most as many as in a panel of a Product. */
inline constexpr int64_t kRowPanel = 2;

/** One row of output pixels of a depthwise convolution with padding kernel/2. */
template <typename Value>
struct DepthwiseRowOf {
  const Value* const* rows;  ///< [kernel.height] rows of the input, null outside the plane
  int64_t width;             ///< of the input in pixels
  int64_t pixel_stride;      ///< of the input in values
  int64_t out_width;
  /**
   * The bias and the taps of each vector of channels: [ceil(channels/lanes)][1+taps][lanes]. For bfloat16,
   * even lanes precede odd lanes, unless half a vector is enough.
   */
  const float* weights;
  KernelSize kernel;
  int64_t stride;
  int64_t channels;
  bool relu;
  Factors<Value> factors;  ///< [out_width], after the ReLU
  const Value* residual;   ///< as `out`, added last, or null; may be `out` itself
  Value* out;
  int64_t out_stride;  ///< values from one output pixel to the next
};
using DepthwiseRow = DepthwiseRowOf<float>;

/** The kernels that read or write activations, for one type of activations. */
template <typename Value>
struct KernelsOn {
  int64_t lanes;       ///< values in a vector: packed weights depend on it
  int64_t half_lanes;  ///< in a half vector, which wastes less on few channels; `lanes` if there is none

  void (*product)(const ProductOf<Value>& call);
  void (*depthwise_row)(const DepthwiseRowOf<Value>& call);

  /** out[c] = sum of x[p][c] over the pixels, one after another, added to `out` if `add`. */
  void (*sum_pixels)(const Value* x, int64_t pixels, int64_t pixel_stride, int64_t channels, bool add,
                     float* out);
  /** out[k][j] = x[k][j] * gate[k] for a packed panel of one segment and `width` columns, in whole vectors.
   */
  void (*scale_panel)(const Value* x, const float* gate, int64_t depth, int64_t width, Value* out);
  /** out[p][c] = x[p][c] * gate[c]. */
  void (*scale_pixels)(const Value* x, const float* gate, int64_t pixels, int64_t channels, Value* out);
  /** The means of 2x2 pixels: out[p][c] = (a[2p][c] + a[2p+1][c] + b[2p][c] + b[2p+1][c]) / 4. */
  void (*halve_row)(const Value* a, const Value* b, int64_t pixels, int64_t channels, Value* out);
  /** x[i] = 1 / (1 + exp(-x[i])) */
  void (*sigmoid)(Value* x, int64_t count);
  /** out[i] = x[i] * scale[i % 3] + shift[i % 3] for a row of RGB bytes. */
  void (*normalise_row)(const uint8_t* x, int64_t pixels, const float scale[3], const float shift[3],
                        Value* out);
  /** Interleaves three planes into pixels of three channels. */
  void (*interleave_row)(const float* red, const float* green, const float* blue, int64_t pixels, Value* out);
};

/** The kernels on float32, and those that all precisions share: on single rows and vectors, and on images. */
struct Float32Kernels : KernelsOn<float> {
  void (*row_product)(const RowProduct& call);
  /** x[i] = relu6(x[i] + 3) / 6 */
  void (*hard_sigmoid)(float* x, int64_t count);
  /** x[i] = min(max(x[i], 0), 1) */
  void (*clamp)(float* x, int64_t count);
  /** Only multiplies and adds, from and to `out` [2*lanes]. @return the number of multiply-adds */
  int64_t (*multiply_add_rounds)(int64_t rounds, float* out);
  void (*resize_along)(const ResizeAlong& call);
  void (*resize_across)(const ResizeAcross& call);
};

/** Packed weights are padded to whole vectors, and kernels read whole vectors: this number of values after
 * the last value of an input must be readable. */
inline constexpr int64_t kReadableBehind = 64;

}  // namespace ghostnet::cpu
