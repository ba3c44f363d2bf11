/**
 * Layers of single pixels, float32 in every precision: squeeze-and-excitation.
 */
#pragma once

#include "engine/cpu/steps/step.h"

namespace ghostnet {

/** A dense layer of one pixel. */
class DenseStep : public Step {
 public:
  DenseStep(const Node& node, const cpu::Float32Kernels& kernels, const cpu::PackedRows& weights, int input,
            int output)
      : Step(node.name, weights.weight_count()),
        kernels_(kernels),
        weights_(weights),
        activation_(node.convolutions[0].activation),
        input_(input),
        output_(output) {
    bytes = bytes_of<float>(weights.weight_count());
  }

  void run(const StepContext& context) const override { run_group(context, 1); }

  void run_group(const StepContext& first, int64_t images) const override {
    const cpu::Strided<float> input = first.buffers(input_);
    multiply(first, {input.data, input.stride}, images);
  }

 protected:
  void multiply(const StepContext& first, cpu::Strided<const float> rows, int64_t images) const {
    run_rows(kernels_, weights_, first.share_of(weights_.panels), rows, images, activation_,
             first.buffers(output_));
  }

  const cpu::Float32Kernels& kernels_;
  const cpu::PackedRows& weights_;

 private:
  Activation activation_;
  int input_, output_;
};

/** The means of the channels, computed from their row sums, followed by a dense layer. */
class MeanDenseStep : public DenseStep {
 public:
  MeanDenseStep(const Node& node, const cpu::Float32Kernels& kernels, const cpu::PackedRows& weights,
                Plane in, int row_sums, int output)
      : DenseStep(node, kernels, weights, row_sums, output), in_(in), row_sums_(row_sums) {
    bytes = bytes_of<float>(weights.weight_count() + in.channels * in.height);
    scratch = bytes_of<float>(kMaxGroup * in.channels + cpu::kReadableBehind);
  }

  void run_group(const StepContext& first, int64_t images) const override {
    const cpu::Strided<float> means = {first.scratch, in_.channels};
    const auto pixels = static_cast<float>(in_.pixels());
    for (int64_t image = 0; image < images; ++image) {
      float* const mean = means.row(image);
      kernels_.sum_pixels(first.buffers(row_sums_).row(image), in_.height, in_.channels, in_.channels, false,
                          mean);
      for (int64_t c = 0; c < in_.channels; ++c) mean[c] /= pixels;
    }
    multiply(first, {means.data, means.stride}, images);
  }

 private:
  Plane in_;
  int row_sums_;
};

}  // namespace ghostnet
