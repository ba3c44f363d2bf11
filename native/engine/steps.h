/**
 * What the engine does to one image, step by step. The threads of a team run a step together, each its share,
 * and meet at a barrier before a step that reads what others wrote. Free of LibTorch.
 */
#pragma once

#include <cstdint>
#include <string>

#include "engine/packed_network.h"

namespace ghostnet {

/** What a uint8 input is multiplied with and what is added to it, by channel: it becomes a normalised one. */
struct Normalisation {
  float scale[3];
  float shift[3];
};

/** One thread's view of an image that is being computed. */
struct StepContext {
  const cpu::Kernels* kernels;
  const void* input;  ///< of this image
  const Normalisation* normalisation;
  float* pooled;           ///< [last channels], the result of the steps
  float* buffers;          ///< of the team
  const int64_t* offsets;  ///< of the buffers
  float* scratch;          ///< of this thread
  int rank, size;          ///< of this thread in its team

  float* buffer(int number) const { return number < 0 ? nullptr : buffers + offsets[number]; }
};

/** A plane of activations. */
struct Plane {
  int64_t channels, height, width;

  int64_t count() const { return channels * height * width; }
};

/** How the threads of a team share a step: rows of the output, or its channels where rows are few. */
enum class Split { rows, channels };

class Step {
 public:
  Step(std::string name, int64_t multiply_adds) : name_(std::move(name)), multiply_adds_(multiply_adds) {}
  virtual ~Step() = default;

  virtual void run(const StepContext& context) const = 0;
  /** Floats of scratch memory that each thread takes. */
  virtual int64_t scratch(const cpu::Kernels&) const { return 0; }

  const std::string& name() const { return name_; }
  int64_t multiply_adds() const { return multiply_adds_; }

  int64_t bytes = 0;          ///< of activations and weights, read and written once
  bool barrier_after = true;  ///< the next step reads what this one writes

 private:
  std::string name_;
  int64_t multiply_adds_;
};

/** The 3x3 stem of stride 2, from the caller's input. */
class StemStep : public Step {
 public:
  enum class Input { bytes_nhwc, floats_nchw };
  StemStep(const cpu::PackedProduct& weights, Input input, Plane in, Plane out, int output);
  void run(const StepContext& context) const override;
  int64_t scratch(const cpu::Kernels&) const override;

 private:
  int64_t tile_rows() const;
  void read_row(const StepContext& context, int64_t y, float* row) const;

  const cpu::PackedProduct& weights_;
  Input input_;
  Plane in_, out_;
  int output_;
};

class GhostModuleStep : public Step {
 public:
  struct Buffers {
    int input, output;
    int gate = -1, residual = -1, row_sums = -1;
  };
  GhostModuleStep(std::string name, const cpu::PackedGhostModule& module, Plane in, Buffers buffers,
                  Split split);
  void run(const StepContext& context) const override;
  int64_t scratch(const cpu::Kernels& kernels) const override;

 private:
  const cpu::PackedGhostModule& module_;
  Plane in_;
  Buffers buffers_;
  Split split_;
};

class DepthwiseStep : public Step {
 public:
  DepthwiseStep(std::string name, const cpu::PackedDepthwise& weights, int64_t stride, Plane in, Plane out,
                int input, int output, int row_sums, Split split);
  void run(const StepContext& context) const override;

 private:
  const cpu::PackedDepthwise& weights_;
  int64_t stride_;
  Plane in_, out_;
  int input_, output_, row_sums_;
  Split split_;
};

/** A depthwise convolution and a 1x1 convolution, rows of the first staying in scratch memory. */
class ShortcutStep : public Step {
 public:
  ShortcutStep(std::string name, const PackedShortcut& weights, int64_t stride, Plane in, Plane out,
               int input, int output, Split split);
  void run(const StepContext& context) const override;
  int64_t scratch(const cpu::Kernels& kernels) const override;

 private:
  int64_t tile_rows() const;

  const PackedShortcut& weights_;
  int64_t stride_;
  Plane in_, out_;
  int input_, output_;
  Split split_;
};

/** Means of the channels from their row sums, and the first layer of squeeze-and-excitation. */
class SqueezeStep : public Step {
 public:
  SqueezeStep(std::string name, const cpu::PackedRows& weights, Plane in, int row_sums, int output);
  void run(const StepContext& context) const override;
  int64_t scratch(const cpu::Kernels& kernels) const override;

 private:
  const cpu::PackedRows& weights_;
  Plane in_;
  int row_sums_, output_;
};

/** The second layer of squeeze-and-excitation: a gate for each channel. */
class ExciteStep : public Step {
 public:
  ExciteStep(std::string name, const cpu::PackedRows& weights, int input, int output);
  void run(const StepContext& context) const override;

 private:
  const cpu::PackedRows& weights_;
  int input_, output_;
};

/** The last 1x1 convolution and the mean over its pixels. */
class LastStep : public Step {
 public:
  LastStep(std::string name, const cpu::PackedProduct& weights, Plane in, int input);
  void run(const StepContext& context) const override;
  int64_t scratch(const cpu::Kernels& kernels) const override;

 private:
  const cpu::PackedProduct& weights_;
  Plane in_;
  int input_;
};

}  // namespace ghostnet
