#include "kernels/cpu/packing.h"

#include <algorithm>

namespace ghostnet::cpu {

std::vector<Panel> lay_out_panels(int64_t columns, int64_t rows, int64_t lanes, int64_t half) {
  std::vector<Panel> panels;
  int64_t column = 0;
  const auto add_panel = [&](int64_t vectors, bool halves) {
    const int64_t width = vectors * (halves ? half : lanes);
    panels.push_back({column, std::min(width, columns - column), vectors, halves, width, rows * column});
    column += width;
  };
  // Panels of two vectors, and one of three if one vector would remain; each half separately, so that two
  // threads get equally many columns.
  const auto add_panels = [&](int64_t count) {
    for (; count > 3; count -= 2) add_panel(2, false);
    if (count > 0) add_panel(count, false);
  };
  // A last vector that would be at most half used is a half vector, in a panel with the previous vector.
  const int64_t last = columns % lanes;
  const bool ends_in_half = half < lanes && last > 0 && last <= half;
  const int64_t halves = !ends_in_half ? 0 : columns < lanes ? 1 : 1 + lanes / half;
  const int64_t vectors = (round_up(columns, ends_in_half ? half : lanes) - halves * half) / lanes;
  if (vectors > 3) add_panels(vectors / 2);
  add_panels(vectors - column / lanes);
  if (halves > 0) add_panel(halves, true);
  return panels;
}

PackedRows pack_rows(const Packing<float>& packing, const float* weights, const float* bias, int64_t columns,
                     int64_t depth) {
  PackedRows packed;
  const int64_t width = kRowPanel * packing.kernels.lanes;
  packed.depth = depth;
  packed.columns = columns;
  packed.panels = round_up(columns, width) / width;
  packed.weights = packing.pool.take<float>(packed.panels * width * depth);
  packed.bias = packing.pool.take<float>(packed.panels * width);
  std::copy_n(bias, columns, packed.bias.data());
  for (int64_t column = 0; column < columns; ++column) {
    float* panel = packed.weights.data() + column / width * width * depth + column % width;
    for (int64_t k = 0; k < depth; ++k) panel[k * width] = weights[column * depth + k];
  }
  return packed;
}

}  // namespace ghostnet::cpu
