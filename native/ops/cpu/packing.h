/**
 * Weights in the order in which the kernels read them, packed once for a capability. Free of LibTorch.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "ops/cpu/floats.h"
#include "ops/cpu/kernels.h"

namespace ghostnet::cpu {

/** The part [begin, end) of some work. */
struct Range {
  int64_t begin, end;

  int64_t size() const { return end - begin; }
};

/** Rows of a plane, or those of its rows that are kept: row y lies where row y - ring lay. */
template <typename Value>
struct RowsOf {
  Value* data = nullptr;
  int64_t size = 0;  ///< values in a row
  int64_t ring = 1;

  Value* row(int64_t y) const { return data + y % ring * size; }
  /** How many rows from row y on lie behind each other. */
  int64_t run(int64_t y) const { return ring - y % ring; }

  operator RowsOf<const Value>() const { return {data, size, ring}; }
};

/** The share of one of `parts` in `count` things: shares differ by one at most. */
Range share_of(int64_t count, int part, int parts);

int64_t round_up(int64_t value, int64_t multiple);

/** What weights are packed for, and into which memory. */
struct Packing {
  const Kernels& kernels;
  FloatPool* pool = nullptr;  ///< each for itself when null
  bool bfloat16 = false;      ///< products and depthwise convolutions of bfloat16

  /** @throws std::bad_alloc */
  Floats floats(int64_t count) const { return pool == nullptr ? Floats(count) : pool->take(count); }
};

/** The matrix of a 1x1 convolution, or of a dense one whose kernel rows are segments, in panels of columns.
 */
struct PackedProduct {
  struct Panel {
    int64_t column, columns;  ///< first column, how many
    int64_t vectors;
    bool half;       ///< whether they are half vectors
    int64_t width;   ///< values in a row: `vectors` whole ones
    int64_t offset;  ///< in weights, in values
  };
  int64_t segments = 1;
  int64_t depth = 0;  ///< of a segment
  int64_t columns = 0;
  std::vector<Panel> panels;
  Floats weights;  ///< of bfloat16, two in the place of each float32, where it is packed for these
  Floats bias;     ///< by column, whole vectors

  int64_t weight_count() const;
  template <typename Value>
  const Value* weights_as() const {
    return reinterpret_cast<const Value*>(weights.data());
  }
};

/**
 * @param weights [columns][segments*depth]
 * @param bias [columns]
 */
PackedProduct pack_product(const Packing& packing, const float* weights, const float* bias, int64_t columns,
                           int64_t depth, int64_t segments = 1);

/** Which panels of a product one of several threads takes, so that all have about as many columns. */
Range panels_of(const PackedProduct& product, int part, int parts);

/**
 * Some panels of a product.
 * @param weights those of the product, or others packed alike
 * @param call its rows, and out, residual and plain at column 0; what depends on the panel is filled in
 */
template <typename Value>
void run_product(const KernelsOn<Value>& kernels, const PackedProduct& product, const Value* weights,
                 Range panels, ProductOf<Value> call) {
  // A row of the panel, or a pair of rows, for each float32 that its depth takes.
  constexpr int64_t kTogether = sizeof(float) / sizeof(Value);
  Value* const out = call.out;
  Value* const plain = call.plain;
  const Value* const residual = call.residual;
  call.segments = product.segments;
  call.depth = product.depth;
  for (int64_t index = panels.begin; index < panels.end; ++index) {
    const auto& panel = product.panels[static_cast<size_t>(index)];
    call.panel = weights + panel.offset;
    call.panel_stride = kTogether * panel.width;
    call.bias = product.bias.data() + panel.column;
    call.vectors = panel.vectors;
    call.half = panel.half;
    call.columns = panel.columns;
    call.out = out == nullptr ? nullptr : out + panel.column;
    call.plain = plain == nullptr ? nullptr : plain + panel.column;
    call.residual = residual == nullptr ? nullptr : residual + panel.column;
    kernels.product(call);
  }
}

/** A matrix for single rows: convolutions on a 1x1 plane, linear layers. */
struct PackedRows {
  int64_t depth = 0, columns = 0;
  int64_t panels = 0;
  Floats weights, bias;
};

/** @param weights [columns][depth] */
PackedRows pack_rows(const Packing& packing, const float* weights, const float* bias, int64_t columns,
                     int64_t depth);

/** What follows a product of rows. */
enum class Activation { none, relu, hard_sigmoid };

/** Rows of values, `stride` floats from one to the next. */
template <typename Float>
struct Strided {
  Float* data;
  int64_t stride;

  Float* row(int64_t index) const { return data + index * stride; }
};

/**
 * The product of `rows` rows with some panels of the matrix.
 * @param a rows of [depth]
 * @param out rows of [columns]; columns outside of the panels are left alone
 */
void run_rows(const Kernels& kernels, const PackedRows& matrix, Range panels, Strided<const float> a,
              int64_t rows, Activation activation, Strided<float> out);

struct PackedDepthwise {
  int64_t channels = 0, kernel = 0;
  Floats weights;  ///< see DepthwiseRow
};

/** @param weights [channels][kernel*kernel] */
PackedDepthwise pack_depthwise(const Packing& packing, const float* weights, const float* bias,
                               int64_t channels, int64_t kernel);

/** The largest kernel of a depthwise convolution: what architectures are allowed. */
inline constexpr int64_t kMaxDepthwiseKernel = 31;

/** What all rows of a depthwise convolution with padding kernel/2 have in common; strides in values. */
struct DepthwiseCall {
  int64_t height, width;  ///< of the input
  int64_t pixel_stride;   ///< of the input
  int64_t out_width, stride;
  Range channels;  ///< begins at a multiple of the lanes
  bool relu;
  int64_t out_stride;
};

/**
 * The output row `y`.
 * @param row_of gives an input row by its number, which is inside of the plane, at channel 0
 * @param residual,out the row at channel 0; residual may be null
 */
template <typename Value, typename RowOf>
void run_depthwise_row(const KernelsOn<Value>& kernels, const PackedDepthwise& weights,
                       const DepthwiseCall& call, int64_t y, const RowOf& row_of, const Value* residual,
                       Value* out) {
  const Value* rows[kMaxDepthwiseKernel];
  const int64_t kernel = weights.kernel;
  const int64_t first = y * call.stride - kernel / 2;
  for (int64_t ky = 0; ky < kernel; ++ky) {
    const int64_t input = first + ky;
    rows[ky] = input < 0 || input >= call.height ? nullptr : row_of(input) + call.channels.begin;
  }
  const int64_t block = call.channels.begin / kernels.lanes;
  kernels.depthwise_row({
      .rows = rows,
      .width = call.width,
      .pixel_stride = call.pixel_stride,
      .out_width = call.out_width,
      .weights = weights.weights.data() + block * (1 + kernel * kernel) * kernels.lanes,
      .kernel = kernel,
      .stride = call.stride,
      .channels = call.channels.size(),
      .relu = call.relu,
      .residual = residual == nullptr ? nullptr : residual + call.channels.begin,
      .out = out + call.channels.begin,
      .out_stride = call.out_stride,
  });
}

}  // namespace ghostnet::cpu
