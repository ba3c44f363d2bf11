#include "ops/cpu/ghost_module.h"

#include <algorithm>

namespace ghostnet::cpu {

namespace {

// Pixels of a tile: input, intrinsic maps and output of a tile fit the second-level cache in every layer.
constexpr int64_t kTilePixels = 256;

// A ghost row takes `reach` intrinsic rows above and below. Of two tiles in turn the last one must hold them
// all.
int64_t tile_rows(int64_t height, int64_t width, int64_t reach) {
  return std::min(std::max({kTilePixels / width, 2 * reach, int64_t{1}}),
                  std::max<int64_t>(height, 2 * reach));
}

}  // namespace

int64_t ghost_module_scratch(const Kernels& kernels, const PackedGhostModule& module, int64_t height,
                             int64_t width, bool gated) {
  const int64_t reach = module.cheap.kernel / 2;
  const int64_t pitch = round_up(module.primary.columns, kernels.lanes);
  const int64_t ring = 2 * tile_rows(height, width, reach) * width * pitch;
  const int64_t halo = 2 * reach * width * (module.out() + kernels.lanes);
  const int64_t gated_weights = gated ? module.in() * pitch : 0;
  return round_up(std::max(ring, halo), kernels.lanes) + gated_weights + kReadableBehind;
}

void run_ghost_module(const Kernels& kernels, const PackedGhostModule& module, const GhostModuleCall& call,
                      Range rows, Range panels, float* scratch) {
  if (rows.size() == 0 || panels.size() == 0) return;
  const PackedProduct& primary = module.primary;
  const int64_t width = call.width;
  const int64_t out = module.out();
  const int64_t reach = module.cheap.kernel / 2;
  const int64_t tile = tile_rows(call.height, width, reach);
  const auto& first_panel = primary.panels[static_cast<size_t>(panels.begin)];
  const auto& last_panel = primary.panels[static_cast<size_t>(panels.end - 1)];
  const Range columns = {first_panel.column, last_panel.column + last_panel.columns};
  const Range ghosts = {std::min(columns.begin, module.cheap.channels),
                        std::min(columns.end, module.cheap.channels)};
  const int64_t padded = round_up(primary.columns, kernels.lanes);

  // The cheap operation reads whole vectors. Where it may do so from the output itself, intrinsic maps are
  // written once; where something is added to them, or another thread writes beside them, they also go to a
  // ring of tiles.
  const bool direct =
      call.residual == nullptr && padded <= out && panels.size() == std::ssize(primary.panels);
  const int64_t pitch = direct ? out : padded;
  const int64_t start = ghosts.size() == 0 ? rows.begin : std::max<int64_t>(rows.begin - reach, 0);
  const int64_t stop = ghosts.size() == 0 ? rows.end : std::min(rows.end + reach, call.height);
  float* const kept = scratch;
  const auto kept_row = [&](int64_t y) {
    if (direct) {  // only rows of neighbouring threads: `reach` above, `reach` below
      return kept + (y < rows.begin ? y - start : reach + y - rows.end) * width * pitch;
    }
    const int64_t position = (y - start) % (2 * tile);
    return kept + position * width * pitch;
  };
  const auto intrinsic_row = [&](int64_t y) -> const float* {
    if (direct && y >= rows.begin && y < rows.end) return call.output + y * width * out;
    return kept_row(y);
  };

  // With a gate, x * gate times the weights is x times gate * weights: fewer products, and no pass over the
  // input.
  float* const gated = scratch + ghost_module_scratch(kernels, module, call.height, width, false);
  const float* const weights = call.gate == nullptr ? primary.weights.data() : gated;

  Product product{};
  product.row_stride = module.in();
  product.relu = module.relu;
  product.out_stride = out;
  product.plain_stride = pitch;
  const auto multiply = [&](int64_t from, int64_t to) {
    if (from >= to) return;
    const bool own = from >= rows.begin && from < rows.end;
    product.a = call.input + from * width * module.in();
    product.rows = (to - from) * width;
    product.out = own ? call.output + from * width * out : nullptr;
    product.plain = own && direct ? nullptr : kept_row(from);
    product.residual = own && call.residual != nullptr ? call.residual + from * width * out : nullptr;
    for (int64_t index = panels.begin; index < panels.end; ++index) {
      if (call.gate != nullptr && from == start) {
        const auto& panel = primary.panels[static_cast<size_t>(index)];
        kernels.scale_panel(primary.weights.data() + panel.offset, call.gate, module.in(),
                            panel.vectors * kernels.lanes, gated + panel.offset);
      }
      run_product(kernels, primary, weights, {index, index + 1}, product);
    }
  };

  const DepthwiseCall cheap = {
      .height = call.height,
      .width = width,
      .pixel_stride = pitch,
      .out_width = width,
      .stride = 1,
      .channels = ghosts,
      .relu = module.relu,
      .out_stride = out,
  };
  int64_t y = rows.begin;
  for (int64_t from = start; from < stop; from += tile) {
    const int64_t to = std::min(from + tile, stop);
    const int64_t above = std::clamp(rows.begin, from, to);
    const int64_t below = std::clamp(rows.end, from, to);
    multiply(from, above);
    multiply(above, below);
    multiply(below, to);
    for (; y < rows.end && (y + reach < to || to == stop); ++y) {
      float* const row = call.output + y * width * out;
      if (ghosts.size() > 0) {
        const float* const residual =
            call.residual == nullptr ? nullptr : call.residual + y * width * out + primary.columns;
        run_depthwise_row(kernels, module.cheap, cheap, y, intrinsic_row, residual, row + primary.columns);
      }
      if (call.row_sums == nullptr) continue;
      float* const sums = call.row_sums + y * out;
      const auto sum = [&](int64_t begin, int64_t count) {
        if (count > 0) kernels.sum_pixels(row + begin, width, out, count, false, sums + begin);
      };
      if (panels.size() == std::ssize(primary.panels)) {
        sum(0, out);
      } else {
        sum(columns.begin, columns.size());
        sum(primary.columns + ghosts.begin, ghosts.size());
      }
    }
  }
}

}  // namespace ghostnet::cpu
