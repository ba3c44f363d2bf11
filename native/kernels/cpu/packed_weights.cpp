#include "kernels/cpu/packed_weights.h"

#include <algorithm>

namespace ghostnet::cpu {

Range panels_of(const std::vector<Panel>& panels, int part, int parts) {
  int64_t width = 0;
  for (const Panel& panel : panels) width += panel.width;
  // The panel whose first vector is closest to the cut.
  const auto boundary = [&](int cut) {
    const int64_t target = width * cut;
    int64_t before = 0;
    int64_t index = 0;
    for (const Panel& panel : panels) {
      if (2 * before * parts + panel.width * parts > 2 * target) break;
      before += panel.width;
      ++index;
    }
    return index;
  };
  return {boundary(part), boundary(part + 1)};
}

void run_rows(const Float32Kernels& kernels, const PackedRows& matrix, Range panels, Strided<const float> a,
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
  if (activation != Activation::hard_sigmoid && activation != Activation::clamp) return;
  const auto gate = activation == Activation::clamp ? kernels.clamp : kernels.hard_sigmoid;
  for (int64_t row = 0; row < rows; ++row) gate(out.row(row) + columns.begin, columns.size());
}

}  // namespace ghostnet::cpu
