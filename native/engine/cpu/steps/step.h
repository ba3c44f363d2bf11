/**
 * A step of the CPU engine: part of the computation of one image. The threads of a team share a step and meet
 * at a barrier before a step that reads what others wrote. Steps that read or write activations are templates
 * over the type in which these are stored.
 */
#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "engine/input.h"
#include "kernels/cpu/packed_weights.h"
#include "model/graph.h"

namespace ghostnet {

/** The place of a buffer among the others, in floats, and the number of its rows that are kept. Activations
 * may be narrower than a float. */
struct BufferPlace {
  bool late;  ///< one of the buffers that each image of a group has separately
  int64_t offset;
  int64_t ring;
};

/** One thread's view of the image that it computes. */
struct StepContext {
  const void* input;  ///< of this image
  const Normalisation* normalisation;
  cpu::Strided<float> pooled;  ///< [last channels], the result of the steps, by image
  float* early;                ///< the buffers of the team
  cpu::Strided<float> late;    ///< the buffers of the image, by image of its group
  const BufferPlace* places;
  float* scratch;  ///< of this thread
  int rank, size;  ///< of this thread in its team

  /** Null without a number. */
  float* buffer(std::optional<int> number) const {
    return number ? (places[*number].late ? late.data : early) + places[*number].offset : nullptr;
  }
  /** A late buffer of all images of the group. */
  cpu::Strided<float> buffers(int number) const { return {buffer(number), late.stride}; }
  /** The same for another image of the group, without its input. */
  StepContext image(int64_t index) const {
    StepContext other = *this;
    other.input = nullptr;
    other.pooled.data = pooled.row(index);
    other.late.data = late.row(index);
    return other;
  }
  /** @param row values in a row of the buffer */
  template <typename Value>
  cpu::RowsOf<Value> rows(std::optional<int> number, int64_t row) const {
    return {reinterpret_cast<Value*>(buffer(number)), row, number ? places[*number].ring : 1};
  }
  template <typename Value>
  Value* scratch_of() const {
    return reinterpret_cast<Value*>(scratch);
  }
  cpu::Range share_of(int64_t count) const { return cpu::share_of(count, rank, size); }
};

/** The largest number of images that one thread computes together. */
inline constexpr int64_t kMaxGroup = 4;

/** Pixels that a step with its own memory computes at a time. */
inline constexpr int64_t kTilePixels = 256;

template <typename Value>
constexpr int64_t bytes_of(int64_t values) {
  return values * static_cast<int64_t>(sizeof(Value));
}

/** How the threads of a team share a step: rows of the output, or its channels if rows are few. */
enum class Split { rows, channels };

class Step {
 public:
  Step(std::string name, int64_t multiply_adds) : name_(std::move(name)), multiply_adds_(multiply_adds) {}
  virtual ~Step() = default;

  /** Computes this thread's share of the whole step. */
  virtual void run(const StepContext& context) const = 0;
  /** Computes the step for the images of a group, which share each read of the weights, by one thread.
   * @param first the first image */
  virtual void run_group(const StepContext& first, int64_t images) const {
    for (int64_t index = 0; index < images; ++index) run(first.image(index));
  }

  const std::string& name() const { return name_; }
  int64_t multiply_adds() const { return multiply_adds_; }

  int64_t bytes = 0;          ///< of activations and weights, each read or written once
  int64_t scratch = 0;        ///< bytes of scratch memory per thread
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

  /** Computes further output rows, after those of earlier calls, by one thread. */
  virtual void run_rows(const StepContext& context, cpu::Range rows) const = 0;

  struct Need {
    int buffer;
    cpu::Range rows;
  };
  /** The rows of the buffers that must exist while `rows` are computed. */
  virtual std::vector<Need> needs(cpu::Range rows) const = 0;
  /** Output rows that are written ahead. */
  virtual int64_t ahead() const { return 0; }

 protected:
  cpu::Range rows_around(int64_t begin, int64_t end) const {
    return {std::max<int64_t>(begin, 0), std::min(end, in_.height)};
  }
  /** The input rows under a convolution's output rows. */
  cpu::Range rows_under(cpu::Range rows, KernelSize kernel, int64_t stride) const {
    const int64_t reach = kernel.height / 2;
    return rows_around(rows.begin * stride - reach, (rows.end - 1) * stride + reach + 1);
  }
  int64_t tile_rows() const { return std::max<int64_t>(1, kTilePixels / out_.width); }
  /** A depthwise convolution from one plane to another. @param out_channels of a pixel of its output */
  cpu::CpuDepthwiseCall depthwise_call(const Convolution& layer, cpu::Range channels,
                                       int64_t out_channels) const {
    return {
        .height = in_.height,
        .width = in_.width,
        .pixel_stride = in_.channels,
        .out_width = out_.width,
        .stride = layer.stride,
        .channels = channels,
        .relu = layer.relu(),
        .out_stride = out_channels,
    };
  }

 private:
  Plane in_, out_;
  int output_;
};

}  // namespace ghostnet
