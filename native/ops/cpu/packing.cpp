#include "ops/cpu/packing.h"

#include <algorithm>

#include "ops/cpu/bfloat16_packing.h"

namespace ghostnet::cpu {

Range share_of(int64_t count, int part, int parts) {
  return {count * part / parts, count * (part + 1) / parts};
}

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

int64_t PackedProduct::weight_count() const { return segments * depth * columns; }

PackedProduct pack_product(const Packing& packing, const float* weights, const float* bias, int64_t columns,
                           int64_t depth, int64_t segments) {
  if (packing.bfloat16) {
    return in_bfloat16(packing, pack_product({packing.kernels}, weights, bias, columns, depth, segments));
  }
  const int64_t lanes = packing.kernels.lanes;
  const int64_t half = packing.kernels.half_lanes;
  PackedProduct packed;
  packed.segments = segments;
  packed.depth = depth;
  packed.columns = columns;
  const int64_t rows = segments * depth;
  packed.weights = packing.floats(rows * round_up(columns, half));
  packed.bias = packing.floats(round_up(columns, lanes));
  std::copy_n(bias, columns, packed.bias.data());
  int64_t column = 0;
  const auto add_panel = [&](int64_t vectors, bool halves) {
    const int64_t width = vectors * (halves ? half : lanes);
    const int64_t valid = std::min(width, columns - column);
    packed.panels.push_back({column, valid, vectors, halves, width, rows * column});
    float* panel = packed.weights.data() + rows * column;
    for (int64_t k = 0; k < rows; ++k) {
      for (int64_t j = 0; j < valid; ++j) panel[k * width + j] = weights[(column + j) * rows + k];
    }
    column += width;
  };
  // Panels of two vectors, and one of three where one would be left over; each half for itself, so that two
  // threads get as many columns.
  const auto add_panels = [&](int64_t count) {
    for (; count > 3; count -= 2) add_panel(2, false);
    if (count > 0) add_panel(count, false);
  };
  // A last vector of which half or less would be used is a half one, in a panel with the vector before.
  const int64_t last = columns % lanes;
  const bool ends_in_half = half < lanes && last > 0 && last <= half;
  const int64_t halves = !ends_in_half ? 0 : columns < lanes ? 1 : 1 + lanes / half;
  const int64_t vectors = (round_up(columns, ends_in_half ? half : lanes) - halves * half) / lanes;
  if (vectors > 3) add_panels(vectors / 2);
  add_panels(vectors - column / lanes);
  if (halves > 0) add_panel(halves, true);
  return packed;
}

Range panels_of(const PackedProduct& product, int part, int parts) {
  int64_t width = 0;
  for (const auto& panel : product.panels) width += panel.width;
  // The panel whose first vector is nearest to the cut.
  const auto boundary = [&](int cut) {
    const int64_t target = width * cut;
    int64_t before = 0;
    int64_t index = 0;
    for (const auto& panel : product.panels) {
      if (2 * before * parts + panel.width * parts > 2 * target) break;
      before += panel.width;
      ++index;
    }
    return index;
  };
  return {boundary(part), boundary(part + 1)};
}

PackedRows pack_rows(const Packing& packing, const float* weights, const float* bias, int64_t columns,
                     int64_t depth) {
  PackedRows packed;
  const int64_t width = kRowPanel * packing.kernels.lanes;
  packed.depth = depth;
  packed.columns = columns;
  packed.panels = round_up(columns, width) / width;
  packed.weights = packing.floats(packed.panels * width * depth);
  packed.bias = packing.floats(packed.panels * width);
  std::copy_n(bias, columns, packed.bias.data());
  for (int64_t column = 0; column < columns; ++column) {
    float* panel = packed.weights.data() + column / width * width * depth + column % width;
    for (int64_t k = 0; k < depth; ++k) panel[k * width] = weights[column * depth + k];
  }
  return packed;
}

void run_rows(const Kernels& kernels, const PackedRows& matrix, Range panels, Strided<const float> a,
              int64_t rows, Activation activation, Strided<float> out) {
  if (panels.size() == 0) return;
  const int64_t width = kRowPanel * kernels.lanes;
  const Range columns = {panels.begin * width, std::min(panels.end * width, matrix.columns)};
  const float* const weights = matrix.weights.data() + columns.begin * matrix.depth;
  const bool relu = activation == Activation::relu;
  if (rows == 1) {
    kernels.row_product({a.data, matrix.depth, weights, matrix.bias.data() + columns.begin, panels.size(),
                         columns.size(), relu, out.data + columns.begin});
  } else {
    for (int64_t column = columns.begin; column < columns.end; column += width) {
      const int64_t valid = std::min(columns.end - column, width);
      Product call{};
      call.a = a.data;
      call.row_stride = a.stride;
      call.segments = 1;
      call.depth = matrix.depth;
      call.rows = rows;
      call.panel = matrix.weights.data() + column * matrix.depth;
      call.panel_stride = width;
      call.bias = matrix.bias.data() + column;
      call.vectors = round_up(valid, kernels.lanes) / kernels.lanes;
      call.columns = valid;
      call.relu = relu;
      call.out = out.data + column;
      call.out_stride = out.stride;
      kernels.product(call);
    }
  }
  if (activation != Activation::hard_sigmoid) return;
  for (int64_t row = 0; row < rows; ++row) {
    kernels.hard_sigmoid(out.row(row) + columns.begin, columns.size());
  }
}

PackedDepthwise pack_depthwise(const Packing& packing, const float* weights, const float* bias,
                               int64_t channels, int64_t kernel) {
  if (packing.bfloat16) {
    return in_bfloat16(packing, pack_depthwise({packing.kernels}, weights, bias, channels, kernel));
  }
  const int64_t lanes = packing.kernels.lanes;
  PackedDepthwise packed;
  packed.channels = channels;
  packed.kernel = kernel;
  const int64_t taps = kernel * kernel;
  packed.weights = packing.floats(round_up(channels, lanes) * (1 + taps));
  for (int64_t channel = 0; channel < channels; ++channel) {
    float* block = packed.weights.data() + channel / lanes * lanes * (1 + taps) + channel % lanes;
    block[0] = bias[channel];
    for (int64_t tap = 0; tap < taps; ++tap) block[(1 + tap) * lanes] = weights[channel * taps + tap];
  }
  return packed;
}

}  // namespace ghostnet::cpu
