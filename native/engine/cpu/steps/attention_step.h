#pragma once

#include "engine/cpu/steps/step.h"

namespace ghostnet {

/**
 * The first part of an attention, row by row: the means of 2x2 pixels, a 1x1 convolution, and a depthwise
 * convolution along the rows. Only the result of the last leaves the scratch memory.
 */
template <typename Value>
class AttentionStep : public RowStep {
 public:
  /**
   * @param node of the depthwise convolution, with a filter of one row
   * @param in the input of the means
   */
  AttentionStep(const Node& node, const cpu::KernelsOn<Value>& kernels,
                const cpu::PackedProduct<Value>& pointwise, const cpu::PackedDepthwise<Value>& along,
                Plane in, int input, int output, Split split)
      : RowStep(node.name, (pointwise.weight_count() + along.weight_count()) * node.output.pixels(), in,
                node.output, output),
        kernels_(kernels),
        pointwise_(pointwise),
        along_(along),
        layer_(node.convolutions[0]),
        input_(input),
        split_(split) {
    bytes = bytes_of<Value>(in.count() + out().count() + pointwise.weight_count());
    scratch = bytes_of<Value>(halved_values() + tile() * out().row() + cpu::kReadableBehind);
  }

  void run(const StepContext& context) const override {
    if (split_ == Split::rows) return run_rows(context, context.share_of(out().height));
    // Each thread halves all rows.
    run_part(context, {0, out().height}, panels_of(pointwise_.panels, context.rank, context.size));
  }

  void run_rows(const StepContext& context, cpu::Range rows) const override {
    run_part(context, rows, pointwise_.all_panels());
  }

  std::vector<Need> needs(cpu::Range rows) const override {
    return {{input_, rows_around(2 * rows.begin, 2 * rows.end)}};
  }

 private:
  int64_t tile() const { return std::min(tile_rows(), out().height); }
  int64_t halved_values() const {
    return cpu::round_up(tile() * out().width * in().channels + cpu::kReadableBehind, kernels_.lanes);
  }

  void run_part(const StepContext& context, cpu::Range rows, cpu::Range panels) const {
    if (panels.size() == 0) return;
    for (int64_t from = rows.begin; from < rows.end;) {
      const int64_t to = std::min({from + tile(), rows.end});
      run_tile(context, {from, to}, panels);
      from = to;
    }
  }

  void run_tile(const StepContext& context, cpu::Range rows, cpu::Range panels) const {
    const auto input = context.rows<const Value>(input_, in().row());
    const auto output = context.rows<Value>(this->output(), out().row());
    Value* const halved = context.scratch_of<Value>();
    Value* const product = halved + halved_values();
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      kernels_.halve_row(input.row(2 * y), input.row(2 * y + 1), out().width, in().channels,
                         halved + (y - rows.begin) * out().width * in().channels);
    }
    cpu::ProductOf<Value> call{};
    call.a = halved;
    call.row_stride = in().channels;
    call.rows = rows.size() * out().width;
    call.out = product;
    call.out_stride = out().channels;
    run_product(kernels_, pointwise_, pointwise_.weights.data(), panels, call);

    const cpu::Panel& last = pointwise_.panels[static_cast<size_t>(panels.end - 1)];
    cpu::CpuDepthwiseCall along = {
        .height = out().height,
        .width = out().width,
        .pixel_stride = out().channels,
        .out_width = out().width,
        .stride = 1,
        .channels = {pointwise_.panels[static_cast<size_t>(panels.begin)].column, last.column + last.columns},
        .relu = layer_.relu(),
        .out_stride = out().channels,
    };
    for (int64_t y = rows.begin; y < rows.end; ++y) {
      run_depthwise_row<Value>(
          kernels_, along_, along, y,
          [&](int64_t row) -> const Value* { return product + (row - rows.begin) * out().row(); },
          {output.row(y)});
    }
  }

  const cpu::KernelsOn<Value>& kernels_;
  const cpu::PackedProduct<Value>& pointwise_;
  const cpu::PackedDepthwise<Value>& along_;
  Convolution layer_;
  int input_;
  Split split_;
};

}  // namespace ghostnet
