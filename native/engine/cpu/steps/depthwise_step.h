#pragma once

#include "engine/cpu/steps/step.h"

namespace ghostnet {

/** A depthwise convolution, with the sums of its output rows if squeeze-and-excitation follows. */
template <typename Value>
class DepthwiseStep : public RowStep {
 public:
  DepthwiseStep(const Node& node, const cpu::KernelsOn<Value>& kernels,
                const cpu::PackedDepthwise<Value>& weights, Plane in, int input, int output,
                std::optional<int> row_sums, Split split)
      : RowStep(node.name, weights.weight_count() * node.output.pixels(), in, node.output, output),
        kernels_(kernels),
        weights_(weights),
        stride_(node.convolutions[0].stride),
        input_(input),
        row_sums_(row_sums),
        split_(split) {
    bytes = bytes_of<Value>(in.count() + out().count());
  }

  void run(const StepContext& context) const override {
    if (split_ == Split::rows) return run_rows(context, context.share_of(out().height));
    // Whole vectors of channels, so that no thread reads lanes that another writes.
    const int64_t channels = out().channels;
    const int64_t lanes = kernels_.lanes;
    const cpu::Range vectors = context.share_of(cpu::round_up(channels, lanes) / lanes);
    run_part(context, {0, out().height},
             {std::min(vectors.begin * lanes, channels), std::min(vectors.end * lanes, channels)});
  }

  void run_rows(const StepContext& context, cpu::Range rows) const override {
    run_part(context, rows, {0, out().channels});
  }

  std::vector<Need> needs(cpu::Range rows) const override {
    return {{input_, rows_under(rows, weights_.kernel, stride_)}};
  }

 private:
  void run_part(const StepContext& context, cpu::Range rows, cpu::Range channels) const {
    if (channels.size() == 0) return;
    const cpu::DepthwiseCall call = depthwise_call(stride_, channels, out().channels);
    const auto input = context.rows<const Value>(input_, in().row());
    const auto output = context.rows<Value>(this->output(), out().row());
    float* const sums = context.buffer(row_sums_);
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      Value* const row = output.row(y);
      run_depthwise_row<Value>(
          kernels_, weights_, call, y, [&](int64_t from) { return input.row(from); }, nullptr, row);
      if (sums == nullptr) continue;
      kernels_.sum_pixels(row + channels.begin, out().width, out().channels, channels.size(), false,
                          sums + y * out().channels + channels.begin);
    }
  }

  const cpu::KernelsOn<Value>& kernels_;
  const cpu::PackedDepthwise<Value>& weights_;
  int64_t stride_;
  int input_;
  std::optional<int> row_sums_;
  Split split_;
};

}  // namespace ghostnet
