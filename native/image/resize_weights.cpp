#include "image/resize_weights.h"

#include <algorithm>
#include <cmath>

#include "kernels/cpu/resize.h"

namespace ghostnet {
namespace {

/** Half the width of a filter, in output pixels of a downscale. */
double support_of(Interpolation interpolation) { return interpolation == Interpolation::bicubic ? 2 : 1; }

double filter(Interpolation interpolation, double distance) {
  const double x = std::abs(distance);
  if (interpolation == Interpolation::bilinear) return x < 1 ? 1 - x : 0;
  constexpr double a = -0.5;
  if (x < 1) return ((a + 2) * x - (a + 3)) * x * x + 1;
  if (x < 2) return (((x - 5) * x + 8) * x - 4) * a;
  return 0;
}

int32_t fixed_point(double weight) {
  constexpr double one = 1 << cpu::kWeightBits;
  return static_cast<int32_t>(weight < 0 ? -0.5 + weight * one : 0.5 + weight * one);
}

}  // namespace

ResizeWeights::ResizeWeights(const ResizedAxis& axis, Interpolation interpolation)
    : mirrored_(axis.mirrored) {
  // PIL resizes the upright image, where the part that is not covered precedes the rest of a mirrored axis.
  // It takes the ends of the covered part as float32.
  const auto pixels = static_cast<float>(axis.pixels);
  const float from = axis.mirrored ? static_cast<float>(static_cast<double>(axis.pixels) - axis.covered) : 0;
  const float to = axis.mirrored ? pixels : static_cast<float>(axis.covered);
  const double scale = static_cast<double>(to - from) / static_cast<double>(axis.resized);
  const double filter_scale = std::max(scale, 1.0);
  const double inverse = 1 / filter_scale;
  const double support = support_of(interpolation) * filter_scale;

  ranges_.reserve(static_cast<size_t>(axis.outputs));
  starts_.reserve(static_cast<size_t>(axis.outputs));
  weights_.reserve(static_cast<size_t>(axis.outputs) * static_cast<size_t>(2 * support + 2));
  std::vector<double> exact;
  for (int64_t output = 0; output < axis.outputs; ++output) {
    const double centre = from + (static_cast<double>(axis.first + output) + 0.5) * scale;
    const int64_t begin = std::max<int64_t>(static_cast<int64_t>(centre - support + 0.5), 0);
    const int64_t end = std::min(static_cast<int64_t>(centre + support + 0.5), axis.pixels);
    exact.clear();
    double sum = 0;
    for (int64_t pixel = begin; pixel < end; ++pixel) {
      exact.push_back(filter(interpolation, (static_cast<double>(pixel) - centre + 0.5) * inverse));
      sum += exact.back();
    }
    const size_t start = weights_.size();
    for (const double weight : exact) weights_.push_back(fixed_point(sum != 0 ? weight / sum : weight));
    starts_.push_back(start);
    ranges_.push_back({begin, end});
    longest_ = std::max(longest_, end - begin);
    if (!axis.mirrored) continue;
    std::reverse(weights_.begin() + static_cast<std::ptrdiff_t>(start), weights_.end());
    ranges_.back() = {axis.pixels - end, axis.pixels - begin};
  }
}

std::span<const int32_t> ResizeWeights::weights(int64_t output) const {
  const Range& pixels = range(output);
  return {weights_.data() + starts_[static_cast<size_t>(output)],
          static_cast<size_t>(pixels.end - pixels.begin)};
}

ResizeWeights::Range ResizeWeights::all() const {
  const Range& first = mirrored_ ? ranges_.back() : ranges_.front();
  const Range& last = mirrored_ ? ranges_.front() : ranges_.back();
  return {first.begin, last.end};
}

}  // namespace ghostnet
