/**
 * Weights in the order in which the kernels read them, and the loops that pass them to the kernels part by
 * part. packing.h creates them.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/activation.h"
#include "kernels/cpu/kernel_table.h"
#include "kernels/cpu/layout.h"
#include "kernels/cpu/packed_array.h"
#include "kernels/cpu/rows.h"

namespace ghostnet::cpu {

/** Some columns of a product, contiguous in memory. */
struct Panel {
  int64_t column, columns;  ///< the first column, the number of columns
  int64_t vectors;
  bool half;       ///< whether the vectors are half vectors
  int64_t width;   ///< values per row: `vectors` vectors
  int64_t offset;  ///< in the weights, in values
};

/** The panels of one of several threads, so that all have about the same number of columns. */
Range panels_of(const std::vector<Panel>& panels, int part, int parts);

/** The matrix of a 1x1 convolution, or of a dense convolution whose kernel rows are segments, in panels of
 * columns. */
template <typename Value>
struct PackedProduct {
  int64_t segments = 1;
  int64_t depth = 0;  ///< of a segment
  int64_t columns = 0;
  std::vector<Panel> panels;
  PackedArray<Value> weights;
  PackedArray<float> bias;  ///< by column, whole vectors

  int64_t weight_count() const { return segments * depth * columns; }
  Range all_panels() const { return {0, std::ssize(panels)}; }
};

/**
 * Computes some panels of a product.
 * @param weights of the product, or others packed the same way
 * @param call rows, and out, factors, residual and plain at column 0; the members that depend on the panel
 * are set here
 */
template <typename Value>
void run_product(const KernelsOn<Value>& kernels, const PackedProduct<Value>& product, const Value* weights,
                 Range panels, ProductOf<Value> call) {
  Value* const out = call.out;
  Value* const plain = call.plain;
  const int64_t factor = call.factors.first;
  const Value* const residual = call.residual;
  call.segments = product.segments;
  call.depth = product.depth;
  for (int64_t index = panels.begin; index < panels.end; ++index) {
    const Panel& panel = product.panels[static_cast<size_t>(index)];
    call.panel = weights + panel.offset;
    call.panel_stride = Layout<Value>::kTogether * panel.width;
    call.bias = product.bias.data() + panel.column;
    call.vectors = panel.vectors;
    call.half = panel.half;
    call.columns = panel.columns;
    call.factors.first = factor + panel.column;
    call.out = out == nullptr ? nullptr : out + panel.column;
    call.plain = plain == nullptr ? nullptr : plain + panel.column;
    call.residual = residual == nullptr ? nullptr : residual + panel.column;
    kernels.product(call);
  }
}

/** A matrix for single rows, float32 in every precision: convolutions on a 1x1 plane, linear layers. */
struct PackedRows {
  int64_t depth = 0, columns = 0;
  int64_t panels = 0;
  PackedArray<float> weights, bias;

  int64_t weight_count() const { return depth * columns; }
};

/**
 * Multiplies `rows` rows by some panels of the matrix.
 * @param a rows of [depth]
 * @param out rows of [columns]; columns outside the panels do not change
 */
void run_rows(const Float32Kernels& kernels, const PackedRows& matrix, Range panels, Strided<const float> a,
              int64_t rows, Activation activation, Strided<float> out);

/** The filters of a depthwise convolution, one per channel. */
template <typename Value>
struct PackedDepthwise {
  int64_t channels = 0;
  KernelSize kernel;
  PackedArray<float> weights;  ///< see DepthwiseRowOf

  int64_t weight_count() const { return channels * kernel.taps(); }
};

/** The largest kernel of a depthwise convolution that an architecture may have. */
inline constexpr int64_t kMaxDepthwiseKernel = 31;

/** What all rows of a depthwise convolution with padding kernel/2 have in common; strides in values. */
struct CpuDepthwiseCall {
  int64_t height, width;  ///< of the input
  int64_t pixel_stride;   ///< of the input
  int64_t out_width, stride;
  Range channels;  ///< from a multiple of the lanes
  bool relu;
  int64_t out_stride;
};

/** An output row, at channel 0. */
template <typename Value>
struct DepthwiseOutput {
  Value* row;
  Factors<Value> factors = {};
  const Value* residual = nullptr;  ///< or null
};

/**
 * Computes output row `y`.
 * @param row_of returns an input row inside the plane, at channel 0, by its number
 */
template <typename Value, typename RowOf>
void run_depthwise_row(const KernelsOn<Value>& kernels, const PackedDepthwise<Value>& weights,
                       const CpuDepthwiseCall& call, int64_t y, const RowOf& row_of,
                       const DepthwiseOutput<Value>& out) {
  const Value* rows[kMaxDepthwiseKernel];
  const KernelSize kernel = weights.kernel;
  const int64_t first = y * call.stride - kernel.height / 2;
  for (int64_t ky = 0; ky < kernel.height; ++ky) {
    const int64_t input = first + ky;
    rows[ky] = input < 0 || input >= call.height ? nullptr : row_of(input) + call.channels.begin;
  }
  const int64_t block = call.channels.begin / kernels.lanes;
  kernels.depthwise_row({
      .rows = rows,
      .width = call.width,
      .pixel_stride = call.pixel_stride,
      .out_width = call.out_width,
      .weights = weights.weights.data() + block * (1 + kernel.taps()) * kernels.lanes,
      .kernel = kernel,
      .stride = call.stride,
      .channels = call.channels.size(),
      .relu = call.relu,
      .factors = {out.factors.pixels, out.factors.first + call.channels.begin},
      .residual = out.residual == nullptr ? nullptr : out.residual + call.channels.begin,
      .out = out.row + call.channels.begin,
      .out_stride = call.out_stride,
  });
}

}  // namespace ghostnet::cpu
