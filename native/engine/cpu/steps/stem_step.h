#pragma once

#include "engine/cpu/steps/step.h"

namespace ghostnet {

/** The 3x3 stem of stride 2, which reads the caller's input. */
template <typename Value>
class StemStep : public RowStep {
 public:
  StemStep(const Node& node, const cpu::KernelsOn<Value>& kernels, const cpu::PackedProduct<Value>& weights,
           Input input, Plane in, int output)
      : RowStep(node.name, weights.weight_count() * node.output.pixels(), in, node.output, output),
        kernels_(kernels),
        weights_(weights),
        input_(input) {
    bytes = bytes_of<Value>(out().count()) + in.count() * static_cast<int64_t>(size_of(dtype_of(input)));
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
      // Output row y reads the input rows 2y-1 to 2y+1.
      for (int64_t y = 2 * from - 1; y <= 2 * to - 1; ++y) {
        read_row(context, y, scratch + (y - (2 * from - 1)) * pitch);
      }
      for (int64_t y = from; y < to; ++y) {
        cpu::ProductOf<Value> call{};
        call.a = scratch + 2 * (y - from) * pitch;
        call.row_stride = 2 * 3;
        call.segment_stride = pitch;
        call.rows = out().width;
        call.relu = true;
        call.out = output.row(y);
        call.out_stride = out().channels;
        run_product(kernels_, weights_, weights_.weights.data(), weights_.all_panels(), call);
      }
    }
  }

  std::vector<Need> needs(cpu::Range) const override { return {}; }

 private:
  // A pixel outside the image is 0 after normalisation.
  void read_row(const StepContext& context, int64_t y, Value* row) const {
    const int64_t width = in().width;
    std::fill_n(row, 3, Value{});
    std::fill_n(row + (width + 1) * 3, 3, Value{});
    Value* const inside = row + 3;
    if (y < 0 || y >= in().height) {
      std::fill_n(inside, 3 * width, Value{});
      return;
    }
    switch (input_) {
      case Input::bytes_nhwc: {
        const auto* pixels = static_cast<const uint8_t*>(context.input) + y * width * 3;
        const Normalisation& normalisation = *context.normalisation;
        kernels_.normalise_row(pixels, width, normalisation.scale, normalisation.shift, inside);
        return;
      }
      case Input::floats_nchw: {
        const auto* red = static_cast<const float*>(context.input) + y * width;
        const int64_t plane = in().pixels();
        kernels_.interleave_row(red, red + plane, red + 2 * plane, width, inside);
        return;
      }
    }
  }

  const cpu::KernelsOn<Value>& kernels_;
  const cpu::PackedProduct<Value>& weights_;
  Input input_;
};

}  // namespace ghostnet
