#pragma once

#include <cstdint>

namespace ghostnet {

/** The sides of the filter of a convolution, both odd. */
struct KernelSize {
  int64_t height = 1, width = 1;

  constexpr KernelSize(int64_t side = 1) : KernelSize(side, side) {}
  constexpr KernelSize(int64_t height, int64_t width) : height(height), width(width) {}
  constexpr int64_t taps() const { return height * width; }
  bool operator==(const KernelSize&) const = default;
};

}  // namespace ghostnet
