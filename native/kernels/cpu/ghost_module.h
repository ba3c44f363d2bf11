/**
 * The ghost module as one pass over tiles of rows: the primary product writes its part of every output pixel,
 * and the cheap operation computes the other part from rows that are still in the cache.
 */
#pragma once

#include <algorithm>

#include "kernels/cpu/packed_weights.h"

namespace ghostnet::cpu {

/** A ghost module with a 1x1 primary convolution and one ghost per intrinsic map, cut to its output channels;
 * or the ghosts alone. */
template <typename Value>
struct PackedGhostModule {
  PackedProduct<Value> primary;  ///< [intrinsic maps][channels in]
  PackedDepthwise<Value> cheap;  ///< of the first `channels` intrinsic maps
  bool relu = true;
  bool concatenates = true;  ///< whether the intrinsic maps are part of the output

  int64_t in() const { return primary.depth; }
  int64_t out() const { return first_ghost() + cheap.channels; }
  /** The channel of the output that holds the first ghost. */
  int64_t first_ghost() const { return concatenates ? primary.columns : 0; }
  int64_t weight_count() const { return primary.weight_count() + cheap.weight_count(); }
  /** The number of intrinsic rows above and below that a ghost row depends on. */
  int64_t reach() const { return cheap.kernel.height / 2; }
};

/** The memory for the passes over a module; sizes are in values. */
template <typename Value>
class GhostModuleMemory {
 public:
  GhostModuleMemory(const KernelsOn<Value>& kernels, const PackedGhostModule<Value>& module)
      : module_(module), kept_pixel_(round_up(module.primary.columns, kernels.lanes)) {}

  /** The intrinsic maps of a pixel, padded so that the cheap operation may read whole vectors. */
  int64_t kept_pixel() const { return kept_pixel_; }
  /** A row of intrinsic maps that a pass keeps. */
  int64_t kept_row_size(int64_t width) const { return width * std::max(kept_pixel_, module_.out()); }
  /** Input rows that a pass processes at a time. */
  int64_t tile_rows(int64_t width) const {
    // Input, intrinsic maps and output of a tile of this size fit in the second-level cache in every layer.
    constexpr int64_t kTilePixels = 256;
    return std::max({kTilePixels / width, 2 * module_.reach(), int64_t{1}});
  }
  /** Rows kept by a pass that does not resume another. */
  int64_t kept_rows(int64_t height, int64_t width) const {
    return std::min(tile_rows(width), height) + 2 * module_.reach();
  }
  /**
   * Whether a pass that resumes another finds intrinsic maps in the output. It does not if they are no part
   * of it, an attention or a residual changes them there, or the last vector extends into another pixel.
   */
  bool reads_output(bool is_changed) const {
    return module_.concatenates && !is_changed && kept_pixel_ <= module_.out();
  }
  /** Weights or input scaled by a gate. */
  int64_t gated_size() const { return round_up(module_.in(), 2) * kept_pixel_; }

 private:
  const PackedGhostModule<Value>& module_;
  int64_t kept_pixel_;
};

/** Factors of the output of a module, at a lower resolution: those of a pixel are of the nearest pixel. */
template <typename Value>
struct LowerPlane {
  RowsOf<const Value> rows = {};     ///< [height][width][out], or without data
  int64_t height = 0;                ///< at most that of the output
  const int64_t* offsets = nullptr;  ///< of the pixels for the columns of the output, in their row
  const Value** pixels = nullptr;    ///< memory for a tile, used only by this thread

  explicit operator bool() const { return rows.data != nullptr; }
};

template <typename Value>
struct CpuGhostCall {
  RowsOf<const Value> input;  ///< [height][width][in]
  int64_t height, width;
  const float* gate;                 ///< [in], factors of the input channels, or null
  LowerPlane<Value> attention = {};  ///< multiplies the output
  RowsOf<const Value> residual;      ///< [height][width][out], added last; without data, or `output` itself
  RowsOf<Value> output;              ///< [height][width][out]
  float* row_sums;                   ///< [height][out], the sum over each row of output pixels, or null
};

/** The part of a module that one pass computes. */
struct GhostModulePart {
  Range rows;    ///< of the output
  Range panels;  ///< of the primary product: their columns, and the ghosts of these columns
  /**
   * Whether the pass continues where another pass over the same columns ended, in the same memory and output.
   * The first pass begins at row 0.
   */
  bool resumes;
};

/** One pass. Passes over parts may run at the same time; together they compute the same bits as a single
 * pass.
 */
template <typename Value>
class GhostModulePass {
 public:
  /**
   * @param part at least one row and one panel
   * @param memory kept rows, used only by this thread
   * @param gated gated_size() values used only by this thread, if there is a gate
   */
  GhostModulePass(const KernelsOn<Value>& kernels, const PackedGhostModule<Value>& module,
                  const CpuGhostCall<Value>& call, const GhostModulePart& part, const RowsOf<Value>& memory,
                  Value* gated)
      : kernels_(kernels),
        module_(module),
        call_(call),
        part_(part),
        memory_(kernels, module),
        all_panels_(part.panels.size() == std::ssize(module.primary.panels)),
        columns_{panel(part.panels.begin).column,
                 panel(part.panels.end - 1).column + panel(part.panels.end - 1).columns},
        ghosts_{std::min(columns_.begin, module.cheap.channels),
                std::min(columns_.end, module.cheap.channels)},
        reach_(ghosts_.size() > 0 ? module.reach() : 0),
        // If threads share the columns, another thread may write just after ours while we read whole vectors.
        direct_(all_panels_ && memory_.reads_output(has_residual() || call.attention)),
        pitch_(direct_ ? module.out() : memory_.kept_pixel()),
        start_(part.resumes && part.rows.begin > 0 ? std::min(part.rows.begin + reach_, call.height)
                                                   : std::max<int64_t>(part.rows.begin - reach_, 0)),
        stop_(std::min(part.rows.end + reach_, call.height)),
        own_(part.resumes ? Range{start_, stop_} : part.rows),
        kept_{memory.data, call.width * pitch_, memory.ring},
        gated_(gated),
        gates_input_(call.gate != nullptr && call.height * call.width < module.primary.columns),
        gates_weights_(call.gate != nullptr && !gates_input_) {}

  void run() {
    const Range rows = part_.rows;
    const int64_t tile = memory_.tile_rows(call_.width);
    int64_t y = rows.begin;
    int64_t from = start_;
    do {
      const int64_t tile_end = std::min(from + tile, stop_);
      while (from < tile_end) {
        const int64_t to = end_of_run(from, tile_end);
        multiply(from, to);
        from = to;
      }
      for (; y < rows.end && (y + reach_ < from || from == stop_); ++y) finish_row(y);
    } while (from < stop_);
  }

 private:
  const Panel& panel(int64_t index) const { return module_.primary.panels[static_cast<size_t>(index)]; }
  bool has_residual() const { return call_.residual.data != nullptr; }

  // Cut where the rows shared with neighbours begin or end, and where a ring wraps.
  int64_t end_of_run(int64_t from, int64_t to) const {
    if (from < own_.begin) to = std::min(to, own_.begin);
    if (from >= own_.begin && from < own_.end) to = std::min(to, own_.end);
    for (const RowsOf<const Value>& ring :
         {call_.input, call_.residual, RowsOf<const Value>(call_.output), RowsOf<const Value>(kept_)}) {
      if (ring.data != nullptr) to = std::min(to, from + ring.run(from));
    }
    return to;
  }

  // The primary convolution of these input rows, written to the output, the kept rows or both.
  void multiply(int64_t from, int64_t to) {
    const bool written = module_.concatenates && from >= own_.begin && from < own_.end;
    ProductOf<Value> product{};
    product.a = call_.input.row(from);
    product.row_stride = module_.in();
    product.rows = (to - from) * call_.width;
    product.relu = module_.relu;
    product.out = written ? call_.output.row(from) : nullptr;
    product.out_stride = module_.out();
    product.plain = written && direct_ ? nullptr : kept_.row(from);
    product.plain_stride = pitch_;
    if (written) product.factors = factors_of(from, to);
    product.residual = written && has_residual() ? call_.residual.row(from) : nullptr;
    if (gates_input_) {
      kernels_.scale_pixels(product.a, call_.gate, product.rows, module_.in(), gated_);
      product.a = gated_;
    }
    const Value* const packed = module_.primary.weights.data();
    for (int64_t index = part_.panels.begin; index < part_.panels.end; ++index) {
      if (gates_weights_ && !scaled_) {
        const Panel& scaled = panel(index);
        kernels_.scale_panel(packed + scaled.offset, call_.gate, module_.in(), scaled.width,
                             gated_ + scaled.offset);
      }
      run_product(kernels_, module_.primary, gates_weights_ ? gated_ : packed, {index, index + 1}, product);
    }
    scaled_ = true;
  }

  // The factors of these output rows.
  Factors<Value> factors_of(int64_t from, int64_t to) const {
    const LowerPlane<Value>& attention = call_.attention;
    if (!attention) return {};
    const Value** pixel = attention.pixels;
    for (int64_t y = from; y < to; ++y) {
      const Value* const row = attention.rows.row(nearest(y, call_.height, attention.height));
      for (int64_t x = 0; x < call_.width; ++x) *pixel++ = row + attention.offsets[x];
    }
    return {attention.pixels, 0};
  }

  const Value* intrinsic_row(int64_t y) const {
    const bool in_output = direct_ && (part_.resumes || (y >= part_.rows.begin && y < part_.rows.end));
    return in_output ? call_.output.row(y) : kept_.row(y);
  }

  // The ghosts of an output row, and its row sums.
  void finish_row(int64_t y) const {
    const int64_t first = module_.first_ghost();
    Value* const row = call_.output.row(y);
    if (ghosts_.size() > 0) {
      const CpuDepthwiseCall cheap = {
          .height = call_.height,
          .width = call_.width,
          .pixel_stride = pitch_,
          .out_width = call_.width,
          .stride = 1,
          .channels = ghosts_,
          .relu = module_.relu,
          .out_stride = module_.out(),
      };
      Factors<Value> factors = factors_of(y, y + 1);
      factors.first += first;
      const DepthwiseOutput<Value> out = {
          .row = row + first,
          .factors = factors,
          .residual = has_residual() ? call_.residual.row(y) + first : nullptr,
      };
      run_depthwise_row(
          kernels_, module_.cheap, cheap, y, [&](int64_t from) { return intrinsic_row(from); }, out);
    }
    if (call_.row_sums == nullptr) return;
    if (all_panels_) {
      sum(y, {0, module_.out()});
    } else {
      if (module_.concatenates) sum(y, columns_);
      sum(y, {first + ghosts_.begin, first + ghosts_.end});
    }
  }

  void sum(int64_t y, Range channels) const {
    if (channels.size() == 0) return;
    kernels_.sum_pixels(call_.output.row(y) + channels.begin, call_.width, module_.out(), channels.size(),
                        false, call_.row_sums + y * module_.out() + channels.begin);
  }

  const KernelsOn<Value>& kernels_;
  const PackedGhostModule<Value>& module_;
  const CpuGhostCall<Value>& call_;
  const GhostModulePart part_;
  const GhostModuleMemory<Value> memory_;
  const bool all_panels_;
  const Range columns_, ghosts_;
  const int64_t reach_;
  const bool direct_;           ///< intrinsic maps are read from the output, if this pass wrote them
  const int64_t pitch_;         ///< values from one pixel of the intrinsic maps to the next
  const int64_t start_, stop_;  ///< input rows that are multiplied
  const Range own_;             ///< those written to the output: a pass that will be resumed writes ahead
  const RowsOf<Value> kept_;
  Value* const gated_;
  // (x * gate) * weights = x * (gate * weights): the smaller of input and weights is scaled.
  const bool gates_input_, gates_weights_;
  bool scaled_ = false;  ///< whether the weights have been scaled
};

/** Runs a pass; a part without rows or panels does nothing. Parameters as of GhostModulePass. */
template <typename Value>
void run_ghost_module(const KernelsOn<Value>& kernels, const PackedGhostModule<Value>& module,
                      const CpuGhostCall<Value>& call, const GhostModulePart& part,
                      const RowsOf<Value>& memory, Value* gated) {
  if (part.rows.size() <= 0 || part.panels.size() <= 0) return;
  GhostModulePass<Value>(kernels, module, call, part, memory, gated).run();
}

}  // namespace ghostnet::cpu
