#include "engine/cuda/kernel_choice.h"

#include <algorithm>

#include "engine/cuda/faster_in_two.h"

namespace ghostnet::cuda {

bool runs_in_two(GhostPath path, Precision dtype, int64_t batch, int height, int width, int in_channels,
                 int intrinsic) {
  if (path != GhostPath::measured) return path == GhostPath::in_two;
  const int64_t pixels = batch * height * width;
  return std::ranges::any_of(kFasterInTwo, [&](const FasterInTwo& entry) {
    return entry.dtype == dtype && entry.in_channels == in_channels && entry.intrinsic == intrinsic &&
           pixels >= entry.pixels;
  });
}

}  // namespace ghostnet::cuda
