#pragma once

#include "engine/cpu/steps/step.h"

namespace ghostnet {

/** A depthwise convolution, with the sums of its output rows where squeeze-and-excitation follows, or the
 * sigmoid at the end of an attention. */
template <typename Value>
class DepthwiseStep : public RowStep {
 public:
  DepthwiseStep(const Node& node, const cpu::KernelsOn<Value>& kernels,
                const cpu::PackedDepthwise<Value>& weights, Plane in, int input, int output,
                std::optional<int> row_sums, Split split)
      : RowStep(node.name, weights.weight_count() * node.output.pixels(), in, node.output, output),
        kernels_(kernels),
        weights_(weights),
        layer_(node.convolutions[0]),
        input_(input),
        row_sums_(row_sums),
        split_(split) {
    bytes = bytes_of<Value>(in.count() + out().count());
  }

  void run(const StepContext& context) const override {
    if (split_ == Split::rows) return run_rows(context, context.share_of(out().height));
    // Channels in whole vectors, so that no thread reads lanes that another writes.
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
    return {{input_, rows_under(rows, weights_.kernel, layer_.stride)}};
  }

 private:
  void run_part(const StepContext& context, cpu::Range rows, cpu::Range channels) const {
    if (channels.size() == 0) return;
    const cpu::CpuDepthwiseCall call = depthwise_call(layer_, channels, out().channels);
    const auto input = context.rows<const Value>(input_, in().row());
    const auto output = context.rows<Value>(this->output(), out().row());
    float* const sums = context.buffer(row_sums_);
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      Value* const row = output.row(y);
      run_depthwise_row<Value>(kernels_, weights_, call, y, [&](int64_t from) { return input.row(from); },
                               {row});
      if (layer_.activation == Activation::sigmoid) apply_sigmoid(row, channels);
      if (sums == nullptr) continue;
      kernels_.sum_pixels(row + channels.begin, out().width, out().channels, channels.size(), false,
                          sums + y * out().channels + channels.begin);
    }
  }

  void apply_sigmoid(Value* row, cpu::Range channels) const {
    if (channels.size() == out().channels) return kernels_.sigmoid(row, out().row());
    for (int64_t x = 0; x < out().width; ++x) {
      kernels_.sigmoid(row + x * out().channels + channels.begin, channels.size());
    }
  }

  const cpu::KernelsOn<Value>& kernels_;
  const cpu::PackedDepthwise<Value>& weights_;
  Convolution layer_;
  int input_;
  std::optional<int> row_sums_;
  Split split_;
};

/** A depthwise convolution and a 1x1 convolution, rows of the first staying in scratch memory. */
template <typename Value>
class ShortcutStep : public RowStep {
 public:
  /** @param spatial,node the two nodes */
  ShortcutStep(const Node& spatial, const Node& node, const cpu::KernelsOn<Value>& kernels,
               const cpu::PackedDepthwise<Value>& spatial_weights, const cpu::PackedProduct<Value>& weights,
               Plane in, int input, int output, Split split)
      : RowStep(node.name, (spatial_weights.weight_count() + weights.weight_count()) * node.output.pixels(),
                in, node.output, output),
        kernels_(kernels),
        spatial_(spatial_weights),
        pointwise_(weights),
        spatial_layer_(spatial.convolutions[0]),
        relu_(node.convolutions[0].relu()),
        input_(input),
        split_(split) {
    bytes = bytes_of<Value>(in.count() + out().count() + weights.weight_count());
    scratch = bytes_of<Value>(std::min(tile_rows(), out().height) * out().width * in.channels +
                              cpu::kReadableBehind);
  }

  void run(const StepContext& context) const override {
    if (split_ == Split::rows) return run_rows(context, context.share_of(out().height));
    // Each thread computes the few spatial rows it needs.
    run_part(context, {0, out().height}, panels_of(pointwise_.panels, context.rank, context.size));
  }

  void run_rows(const StepContext& context, cpu::Range rows) const override {
    run_part(context, rows, pointwise_.all_panels());
  }

  std::vector<Need> needs(cpu::Range rows) const override {
    return {{input_, rows_under(rows, spatial_.kernel, spatial_layer_.stride)}};
  }

 private:
  void run_part(const StepContext& context, cpu::Range rows, cpu::Range panels) const {
    const int64_t channels = in().channels;
    const cpu::CpuDepthwiseCall spatial = depthwise_call(spatial_layer_, {0, channels}, channels);
    const auto input = context.rows<const Value>(input_, in().row());
    const auto output = context.rows<Value>(this->output(), out().row());
    Value* const scratch = context.scratch_of<Value>();
    for (int64_t from = rows.begin; from < rows.end;) {
      const int64_t to = std::min({from + tile_rows(), rows.end, from + output.run(from)});
      for (int64_t y = from; y < to; ++y) {
        run_depthwise_row<Value>(kernels_, spatial_, spatial, y, [&](int64_t row) { return input.row(row); },
                                 {scratch + (y - from) * out().width * channels});
      }
      cpu::ProductOf<Value> call{};
      call.a = scratch;
      call.row_stride = channels;
      call.rows = (to - from) * out().width;
      call.relu = relu_;
      call.out = output.row(from);
      call.out_stride = out().channels;
      run_product(kernels_, pointwise_, pointwise_.weights.data(), panels, call);
      from = to;
    }
  }

  const cpu::KernelsOn<Value>& kernels_;
  const cpu::PackedDepthwise<Value>& spatial_;
  const cpu::PackedProduct<Value>& pointwise_;
  Convolution spatial_layer_;
  bool relu_;
  int input_;
  Split split_;
};

}  // namespace ghostnet
