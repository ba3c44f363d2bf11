#include "image/resize_pass.h"

#include <algorithm>

namespace ghostnet {
namespace {

constexpr int64_t kCacheLine = 64;

int64_t groups_of(int64_t taps, int64_t group) { return (taps + group - 1) / group; }

/** Writes a weight at a place within groups of high parts and low parts. */
void put(int16_t* weights, int64_t group, int64_t place, int32_t weight) {
  int16_t* parts = weights + place / group * 2 * group + place % group;
  parts[0] = static_cast<int16_t>(weight >> cpu::kWeightBaseBits);
  parts[group] = static_cast<int16_t>(weight & (cpu::kWeightBase - 1));
}

/** Whole cache lines, an odd number of them: otherwise rows could compete for the same few lines of a cache.
 */
int64_t stride_of(int64_t bytes) {
  const int64_t lines = groups_of(bytes, kCacheLine);
  return (lines | 1) * kCacheLine;
}

}  // namespace

static_assert(cpu::kReadableTogether <= kCacheLine);

PassAlongRows::PassAlongRows(const ResizeWeights& columns, const cpu::Float32Kernels& kernels)
    : kernels_(kernels),
      groups_(groups_of(columns.longest(), cpu::kTapsAlong)),
      offsets_(static_cast<size_t>(columns.outputs())),
      weights_(static_cast<size_t>(columns.outputs() * groups_ * 2 * cpu::kTapsAlong)) {
  const ResizeWeights::Range all = columns.all();
  // Every sum has the same number of taps. Those beyond its pixels are of weight 0, and precede the pixels
  // where the row ends.
  const int64_t last_start = std::max(all.begin, all.end - groups_ * cpu::kTapsAlong);
  int16_t* weights = weights_.data();
  for (int64_t output = 0; output < columns.outputs(); ++output) {
    const ResizeWeights::Range& range = columns.range(output);
    const int64_t start = std::min(range.begin, last_start);
    offsets_[static_cast<size_t>(output)] = 3 * (start - all.begin);
    int64_t place = range.begin - start;
    for (const int32_t weight : columns.weights(output)) put(weights, cpu::kTapsAlong, place++, weight);
    weights += groups_ * 2 * cpu::kTapsAlong;
  }
}

void PassAlongRows::run(const uint8_t* const* rows, int64_t count, uint8_t* const* out,
                        int64_t stride) const {
  kernels_.resize_along({.rows = rows,
                         .count = count,
                         .pixels = static_cast<int64_t>(offsets_.size()),
                         .offsets = offsets_.data(),
                         .weights = weights_.data(),
                         .groups = groups_,
                         .out = out,
                         .out_stride = stride});
}

PassAcrossRows::PassAcrossRows(const ResizeWeights& rows, int64_t bytes, int64_t together,
                               const cpu::Float32Kernels& kernels)
    : kernels_(kernels),
      rows_(rows),
      bytes_(bytes),
      kept_(rows.longest() + together),
      stride_(stride_of(bytes)),
      memory_(static_cast<size_t>(kept_ * stride_)),
      arrived_(rows.all().begin),
      summed_(static_cast<size_t>(rows.longest() + cpu::kTapsAcross)),
      weights_(summed_.size() * 2) {}

uint8_t* PassAcrossRows::row(int64_t index) const {
  return reinterpret_cast<uint8_t*>(memory_.data()) + index % kept_ * stride_;
}

uint8_t* PassAcrossRows::next_row(int64_t behind) { return row(arrived_ + behind); }

void PassAcrossRows::write(uint8_t* out) {
  const ResizeWeights::Range& range = rows_.range(output());
  const std::span<const int32_t> weights = rows_.weights(output());
  const auto taps = static_cast<int64_t>(weights.size());
  const int64_t groups = groups_of(taps, cpu::kTapsAcross);
  for (int64_t tap = 0; tap < groups * cpu::kTapsAcross; ++tap) {
    const bool has_row = tap < taps;
    summed_[static_cast<size_t>(tap)] = row(range.begin + (has_row ? tap : 0));
    put(weights_.data(), cpu::kTapsAcross, tap, has_row ? weights[static_cast<size_t>(tap)] : 0);
  }
  kernels_.resize_across(
      {.rows = summed_.data(), .groups = groups, .weights = weights_.data(), .bytes = bytes_, .out = out});
  ++done_;
}

}  // namespace ghostnet
