/**
 * What the engine does to one image, step by step. The threads of a team run a step together, each its share,
 * and meet at a barrier before a step that reads what others wrote. Steps are templates over the type in
 * which activations are stored: float or cpu::BFloat16. Free of LibTorch.
 */
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/packed_network.h"

namespace ghostnet {

/** What a uint8 input is multiplied with and what is added to it, by channel: it becomes a normalised one. */
struct Normalisation {
  float scale[3];
  float shift[3];
};

/** A plane of activations. */
struct Plane {
  int64_t channels, height, width;

  int64_t row() const { return channels * width; }
  int64_t count() const { return channels * height * width; }
};

/** Where a buffer lies among the others, in floats, and how many rows of it are kept. Activations may be
 * narrower than a float. */
struct BufferPlace {
  bool late;  ///< among those of which each image of a group has its own
  int64_t offset;
  int64_t ring;
};

/** One thread's view of an image that is being computed. */
struct StepContext {
  const cpu::Kernels* kernels;
  const void* input;  ///< of this image
  const Normalisation* normalisation;
  cpu::Strided<float> pooled;  ///< [last channels], the result of the steps, and that of the next image
  float* early;                ///< buffers of the team
  cpu::Strided<float> late;    ///< buffers of the image, and those of the next one of its group
  const BufferPlace* places;
  float* scratch;  ///< of this thread
  int rank, size;  ///< of this thread in its team

  float* buffer(int number) const {
    if (number < 0) return nullptr;
    return (places[number].late ? late.data : early) + places[number].offset;
  }
  /** A late buffer of all images of the group. */
  cpu::Strided<float> buffers(int number) const { return {buffer(number), late.stride}; }
  /** The same for another image of the group, which has no input any more. */
  StepContext image(int64_t index) const {
    StepContext other = *this;
    other.input = nullptr;
    other.pooled.data = pooled.row(index);
    other.late.data = late.row(index);
    return other;
  }
  template <typename Value>
  cpu::RowsOf<Value> rows(int number, const Plane& plane) const {
    return {reinterpret_cast<Value*>(buffer(number)), plane.row(), number < 0 ? 1 : places[number].ring};
  }
  template <typename Value>
  Value* scratch_of() const {
    return reinterpret_cast<Value*>(scratch);
  }
};

/** Images that one thread may compute together at most. */
inline constexpr int64_t kMaxGroup = 4;

/** How the threads of a team share a step: rows of the output, or its channels where rows are few. */
enum class Split { rows, channels };

class Step {
 public:
  Step(std::string name, int64_t multiply_adds) : name_(std::move(name)), multiply_adds_(multiply_adds) {}
  virtual ~Step() = default;

  /** Computes this thread's share of the whole step. */
  virtual void run(const StepContext& context) const = 0;
  /** Computes the step for the images of a group, by one thread: those that share what they read of the
   * weights. @param first of the images */
  virtual void run_group(const StepContext& first, int64_t images) const {
    for (int64_t index = 0; index < images; ++index) run(first.image(index));
  }
  /** Bytes of scratch memory that each thread takes. */
  virtual int64_t scratch(const cpu::Kernels&) const { return 0; }

  const std::string& name() const { return name_; }
  int64_t multiply_adds() const { return multiply_adds_; }

  int64_t bytes = 0;          ///< of activations and weights, read and written once
  bool barrier_after = true;  ///< the next step reads what this one writes

 private:
  std::string name_;
  int64_t multiply_adds_;
};

/** A step whose output rows come from a few rows of its inputs, so that steps can follow each other row by
 * row. */
class RowStep : public Step {
 public:
  RowStep(std::string name, int64_t multiply_adds, Plane in, Plane out, int output)
      : Step(std::move(name), multiply_adds), in_(in), out_(out), output_(output) {}

  const Plane& in() const { return in_; }
  const Plane& out() const { return out_; }
  int output() const { return output_; }

  /** Output rows on top of those that earlier calls have computed, by one thread. */
  virtual void run_rows(const StepContext& context, cpu::Range rows) const = 0;

  struct Need {
    int buffer;
    cpu::Range rows;
  };
  /** The rows of buffers that must be there while `rows` are computed. */
  virtual std::vector<Need> needs(cpu::Range rows) const = 0;
  /** Rows of the output that are written before their turn. */
  virtual int64_t ahead() const { return 0; }

 protected:
  cpu::Range rows_around(int64_t begin, int64_t end) const {
    return {std::max<int64_t>(begin, 0), std::min(end, in_.height)};
  }

 private:
  Plane in_, out_;
  int output_;
};

/** The form of the caller's images. */
enum class Input { bytes_nhwc, floats_nchw };

/** The 3x3 stem of stride 2, from the caller's input. */
template <typename Value>
class StemStep : public RowStep {
 public:
  StemStep(const cpu::PackedProduct& weights, Input input, Plane in, Plane out, int output);
  void run(const StepContext& context) const override;
  void run_rows(const StepContext& context, cpu::Range rows) const override;
  std::vector<Need> needs(cpu::Range) const override { return {}; }
  int64_t scratch(const cpu::Kernels&) const override;

 private:
  int64_t tile_rows() const;
  void read_row(const StepContext& context, int64_t y, Value* row) const;

  const cpu::PackedProduct& weights_;
  Input input_;
};

struct GhostModuleBuffers {
  int input, output;
  int gate = -1, residual = -1, row_sums = -1;
  int kept = -1;  ///< rows that are kept from one call of run_rows to the next
};

template <typename Value>
class GhostModuleStep : public RowStep {
 public:
  GhostModuleStep(std::string name, const cpu::PackedGhostModule& module, Plane in,
                  GhostModuleBuffers buffers, Split split);
  void run(const StepContext& context) const override;
  void run_rows(const StepContext& context, cpu::Range rows) const override;
  std::vector<Need> needs(cpu::Range rows) const override;
  int64_t ahead() const override { return reach_of(module_); }
  int64_t scratch(const cpu::Kernels& kernels) const override;

 private:
  cpu::GhostModuleCall<Value> call(const StepContext& context) const;

  const cpu::PackedGhostModule& module_;
  GhostModuleBuffers buffers_;
  Split split_;
};

template <typename Value>
class DepthwiseStep : public RowStep {
 public:
  DepthwiseStep(std::string name, const cpu::PackedDepthwise& weights, int64_t stride, Plane in, Plane out,
                int input, int output, int row_sums, Split split);
  void run(const StepContext& context) const override;
  void run_rows(const StepContext& context, cpu::Range rows) const override;
  std::vector<Need> needs(cpu::Range rows) const override;

 private:
  void run_part(const StepContext& context, cpu::Range rows, cpu::Range channels) const;

  const cpu::PackedDepthwise& weights_;
  int64_t stride_;
  int input_, row_sums_;
  Split split_;
};

/** A depthwise convolution and a 1x1 convolution, rows of the first staying in scratch memory. */
template <typename Value>
class ShortcutStep : public RowStep {
 public:
  ShortcutStep(std::string name, const PackedShortcut& weights, int64_t stride, Plane in, Plane out,
               int input, int output, Split split);
  void run(const StepContext& context) const override;
  void run_rows(const StepContext& context, cpu::Range rows) const override;
  std::vector<Need> needs(cpu::Range rows) const override;
  int64_t scratch(const cpu::Kernels& kernels) const override;

 private:
  int64_t tile_rows() const;
  void run_part(const StepContext& context, cpu::Range rows, cpu::Range panels) const;

  const PackedShortcut& weights_;
  int64_t stride_;
  int input_;
  Split split_;
};

/** Means of the channels from their row sums, and the first layer of squeeze-and-excitation. */
class SqueezeStep : public Step {
 public:
  SqueezeStep(std::string name, const cpu::PackedRows& weights, Plane in, int row_sums, int output);
  void run(const StepContext& context) const override { run_group(context, 1); }
  void run_group(const StepContext& first, int64_t images) const override;
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
  void run(const StepContext& context) const override { run_group(context, 1); }
  void run_group(const StepContext& first, int64_t images) const override;

 private:
  const cpu::PackedRows& weights_;
  int input_, output_;
};

/** The last 1x1 convolution and the mean over its pixels. */
template <typename Value>
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
