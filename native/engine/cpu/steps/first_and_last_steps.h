#pragma once

#include "engine/cpu/steps/step.h"

namespace ghostnet {

/** The 3x3 stem of stride 2, from the caller's input. */
template <typename Value>
class StemStep : public RowStep {
 public:
  StemStep(const Node& node, const cpu::KernelsOn<Value>& kernels, const cpu::PackedProduct<Value>& weights,
           DType input, Plane in, int output)
      : RowStep(node.name, weights.weight_count() * node.output.pixels(), in, node.output, output),
        kernels_(kernels),
        weights_(weights),
        relu_(node.convolutions[0].relu()),
        input_(input) {
    bytes = bytes_of<Value>(out().count()) + in.count() * static_cast<int64_t>(size_of(input));
    scratch = bytes_of<Value>((2 * tile_rows() + 1) * (in.width + 2) * 3 + cpu::kReadableBehind);
  }

  void run(const StepContext& context) const override { run_rows(context, context.share_of(out().height)); }

  void run_rows(const StepContext& context, cpu::Range rows) const override {
    const int64_t pitch = (in().width + 2) * 3;
    const int64_t tile = tile_rows();
    Value* const scratch = context.scratch_of<Value>();
    const auto output = context.rows<Value>(this->output(), out().row());
    for (int64_t from = rows.begin; from < rows.end; from += tile) {
      const int64_t to = std::min(from + tile, rows.end);
      // Output row y takes the input rows 2y-1 to 2y+1.
      for (int64_t y = 2 * from - 1; y <= 2 * to - 1; ++y) {
        read_row(context, y, scratch + (y - (2 * from - 1)) * pitch);
      }
      for (int64_t y = from; y < to; ++y) {
        cpu::ProductOf<Value> call{};
        call.a = scratch + 2 * (y - from) * pitch;
        call.row_stride = 2 * 3;
        call.segment_stride = pitch;
        call.rows = out().width;
        call.relu = relu_;
        call.out = output.row(y);
        call.out_stride = out().channels;
        run_product(kernels_, weights_, weights_.weights.data(), weights_.all_panels(), call);
      }
    }
  }

  std::vector<Need> needs(cpu::Range) const override { return {}; }

 private:
  // A pixel outside is 0 after normalisation.
  void read_row(const StepContext& context, int64_t y, Value* row) const {
    const int64_t width = in().width;
    std::fill_n(row, 3, Value{});
    std::fill_n(row + (width + 1) * 3, 3, Value{});
    Value* const inside = row + 3;
    if (y < 0 || y >= in().height) {
      std::fill_n(inside, 3 * width, Value{});
      return;
    }
    if (input_ == DType::uint8) {
      const auto* pixels = static_cast<const uint8_t*>(context.input) + y * width * 3;
      kernels_.normalise_row(pixels, width, context.normalisation->scale, context.normalisation->shift,
                             inside);
    } else {
      const auto* red = static_cast<const float*>(context.input) + y * width;
      const int64_t plane = in().pixels();
      kernels_.interleave_row(red, red + plane, red + 2 * plane, width, inside);
    }
  }

  const cpu::KernelsOn<Value>& kernels_;
  const cpu::PackedProduct<Value>& weights_;
  bool relu_;
  DType input_;
};

/** A 1x1 convolution and the mean over its pixels: the result of the steps. */
template <typename Value>
class LastStep : public Step {
 public:
  LastStep(const Node& node, const cpu::KernelsOn<Value>& kernels, const cpu::PackedProduct<Value>& weights,
           Plane in, int input)
      : Step(node.name, weights.weight_count() * in.pixels()),
        kernels_(kernels),
        weights_(weights),
        in_(in),
        relu_(node.convolutions[0].relu()),
        input_(input) {
    bytes = bytes_of<Value>(in.count() + weights.weight_count());
    scratch = bytes_of<Value>(kTilePixels * 3 * kernels.lanes + cpu::kReadableBehind);
  }

  void run(const StepContext& context) const override {
    const cpu::Range panels = panels_of(weights_.panels, context.rank, context.size);
    const int64_t pixels = in_.pixels();
    const Value* const input = context.rows<Value>(input_, in_.row()).data;
    Value* const scratch = context.scratch_of<Value>();
    for (int64_t index = panels.begin; index < panels.end; ++index) {
      const cpu::Panel& panel = weights_.panels[static_cast<size_t>(index)];
      float* const sums = context.pooled.data + panel.column;
      for (int64_t from = 0; from < pixels; from += kTilePixels) {
        cpu::ProductOf<Value> call{};
        call.a = input + from * in_.channels;
        call.row_stride = in_.channels;
        call.rows = std::min(kTilePixels, pixels - from);
        call.relu = relu_;
        call.plain = scratch - panel.column;
        call.plain_stride = panel.width;
        run_product(kernels_, weights_, weights_.weights.data(), {index, index + 1}, call);
        kernels_.sum_pixels(scratch, call.rows, panel.width, panel.columns, from > 0, sums);
      }
      for (int64_t c = 0; c < panel.columns; ++c) sums[c] /= static_cast<float>(pixels);
    }
  }

 private:
  const cpu::KernelsOn<Value>& kernels_;
  const cpu::PackedProduct<Value>& weights_;
  Plane in_;
  bool relu_;
  int input_;
};

}  // namespace ghostnet
