#pragma once

#include "engine/cpu/steps/step.h"

namespace ghostnet {

/** A 1x1 convolution and the mean over its pixels, which is the result of the steps. */
template <typename Value>
class LastStep : public Step {
 public:
  LastStep(const Node& node, const cpu::KernelsOn<Value>& kernels, const cpu::PackedProduct<Value>& weights,
           Plane in, int input)
      : Step(node.name, weights.weight_count() * in.pixels()),
        kernels_(kernels),
        weights_(weights),
        in_(in),
        relu_(node.convolutions[0].activation == Activation::relu),
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
