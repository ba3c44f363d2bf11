#include "ops/cpu/ghost_module.h"

#include <algorithm>

namespace ghostnet::cpu {

namespace {

// Pixels of a tile: input, intrinsic maps and output of a tile fit the second-level cache in every layer.
constexpr int64_t kTilePixels = 256;

int64_t tile_rows(const PackedGhostModule& module, int64_t width) {
  return std::max({kTilePixels / width, 2 * reach_of(module), int64_t{1}});
}

// Rows of pixels take whole vectors for each pixel, so that the cheap operation may read whole vectors.
int64_t kept_pixel(int64_t lanes, const PackedGhostModule& module) {
  return round_up(module.primary.columns, lanes);
}

// Intrinsic maps are read from the output itself, unless something is added to them there, or the vector
// behind the last one belongs to another pixel.
bool reads_output(int64_t lanes, const PackedGhostModule& module, bool has_residual) {
  return !has_residual && kept_pixel(lanes, module) <= module.out();
}

}  // namespace

int64_t kept_row_size(const Kernels& kernels, const PackedGhostModule& module, int64_t width) {
  return width * std::max(kept_pixel(kernels.lanes, module), module.out());
}

int64_t kept_rows(const PackedGhostModule& module, int64_t height, int64_t width) {
  const int64_t reach = reach_of(module);
  return std::min(tile_rows(module, width), height) + 2 * reach;
}

bool keeps_rows(const Kernels& kernels, const PackedGhostModule& module, bool has_residual) {
  return !reads_output(kernels.lanes, module, has_residual);
}

int64_t gated_size(const Kernels& kernels, const PackedGhostModule& module) {
  return round_up(module.in(), 2) * kept_pixel(kernels.lanes, module);
}

template <typename Value>
void run_ghost_module(const KernelsOn<Value>& kernels, const PackedGhostModule& module,
                      const GhostModuleCall<Value>& call, const GhostModulePart& part,
                      const RowsOf<Value>& memory, Value* gated) {
  const Range rows = part.rows;
  const Range panels = part.panels;
  if (rows.size() <= 0 || panels.size() <= 0) return;
  const PackedProduct& primary = module.primary;
  const bool all_panels = panels.size() == std::ssize(primary.panels);
  const bool has_residual = call.residual.data != nullptr;
  const int64_t width = call.width;
  const int64_t out = module.out();
  const auto& last_panel = primary.panels[static_cast<size_t>(panels.end - 1)];
  const Range columns = {primary.panels[static_cast<size_t>(panels.begin)].column,
                         last_panel.column + last_panel.columns};
  const Range ghosts = {std::min(columns.begin, module.cheap.channels),
                        std::min(columns.end, module.cheap.channels)};
  const int64_t reach = ghosts.size() > 0 ? reach_of(module) : 0;

  // Where columns are shared out, another thread may write right behind ours while we read whole vectors.
  const bool direct = all_panels && reads_output(kernels.lanes, module, has_residual);
  const int64_t pitch = direct ? out : kept_pixel(kernels.lanes, module);
  const int64_t start = part.resumes && rows.begin > 0 ? std::min(rows.begin + reach, call.height)
                                                       : std::max<int64_t>(rows.begin - reach, 0);
  const int64_t stop = std::min(rows.end + reach, call.height);
  // The rows that this pass writes to the output: one that will be resumed writes those ahead, too.
  const Range own = part.resumes ? Range{start, stop} : rows;
  const RowsOf<Value> kept = {memory.data, width * pitch, memory.ring};
  const auto intrinsic_row = [&](int64_t y) -> const Value* {
    const bool in_output = direct && (part.resumes || (y >= rows.begin && y < rows.end));
    return in_output ? call.output.row(y) : kept.row(y);
  };

  // With a gate, x * gate times the weights is x times gate * weights: what is less is scaled.
  const bool gates_input = call.gate != nullptr && call.height * width < primary.columns;
  const bool gates_weights = call.gate != nullptr && !gates_input;
  const Value* const packed = primary.template weights_as<Value>();
  const Value* const weights = gates_weights ? gated : packed;
  bool scaled = !gates_weights;
  ProductOf<Value> product{};
  product.row_stride = module.in();
  product.relu = module.relu;
  product.out_stride = out;
  product.plain_stride = pitch;
  const auto multiply = [&](int64_t from, int64_t to) {
    const bool written = from >= own.begin && from < own.end;
    product.a = call.input.row(from);
    product.rows = (to - from) * width;
    product.out = written ? call.output.row(from) : nullptr;
    product.plain = written && direct ? nullptr : kept.row(from);
    product.residual = written && has_residual ? call.residual.row(from) : nullptr;
    if (gates_input) {
      kernels.scale_pixels(product.a, call.gate, product.rows, module.in(), gated);
      product.a = gated;
    }
    for (int64_t index = panels.begin; index < panels.end; ++index) {
      if (!scaled) {
        const auto& panel = primary.panels[static_cast<size_t>(index)];
        kernels.scale_panel(packed + panel.offset, call.gate, module.in(), panel.width, gated + panel.offset);
      }
      run_product(kernels, primary, weights, {index, index + 1}, product);
    }
    scaled = true;
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
  int64_t from = start;
  do {
    const int64_t tile_end = std::min(from + tile_rows(module, width), stop);
    while (from < tile_end) {
      // Up to where rows of the neighbours begin or end, and where a ring does.
      int64_t to = tile_end;
      if (from < own.begin) to = std::min(to, own.begin);
      if (from >= own.begin && from < own.end) to = std::min(to, own.end);
      for (const RowsOf<const Value>& ring :
           {call.input, call.residual, RowsOf<const Value>(call.output), RowsOf<const Value>(kept)}) {
        if (ring.data != nullptr) to = std::min(to, from + ring.run(from));
      }
      multiply(from, to);
      from = to;
    }
    for (; y < rows.end && (y + reach < from || from == stop); ++y) {
      Value* const row = call.output.row(y);
      if (ghosts.size() > 0) {
        const Value* const residual = has_residual ? call.residual.row(y) + primary.columns : nullptr;
        run_depthwise_row(kernels, module.cheap, cheap, y, intrinsic_row, residual, row + primary.columns);
      }
      if (call.row_sums == nullptr) continue;
      float* const sums = call.row_sums + y * out;
      const auto sum = [&](int64_t begin, int64_t count) {
        if (count > 0) kernels.sum_pixels(row + begin, width, out, count, false, sums + begin);
      };
      if (all_panels) {
        sum(0, out);
      } else {
        sum(columns.begin, columns.size());
        sum(primary.columns + ghosts.begin, ghosts.size());
      }
    }
  } while (from < stop);
}

template void run_ghost_module(const KernelsOn<float>&, const PackedGhostModule&,
                               const GhostModuleCall<float>&, const GhostModulePart&, const RowsOf<float>&,
                               float*);
template void run_ghost_module(const KernelsOn<BFloat16>&, const PackedGhostModule&,
                               const GhostModuleCall<BFloat16>&, const GhostModulePart&,
                               const RowsOf<BFloat16>&, BFloat16*);

}  // namespace ghostnet::cpu
