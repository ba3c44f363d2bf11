/**
 * Which ghost modules run in one kernel and which in two. Without measurements on a GPU: all in one.
 */
#pragma once

#include <algorithm>

#include "engine/cuda/faster_in_two.h"

namespace ghostnet::cuda {

/** The basis of the choice. */
enum class GhostPath {
  measured,  ///< the table in faster_in_two.h
  fused,     ///< all in one
  in_two,    ///< all in two
};

/** @param batch,height,width,in_channels,intrinsic of the module */
inline bool runs_in_two(GhostPath path, Precision dtype, int64_t batch, int height, int width,
                        int in_channels, int intrinsic) {
  if (path != GhostPath::measured) return path == GhostPath::in_two;
  const int64_t pixels = batch * height * width;
  return std::ranges::any_of(kFasterInTwo, [&](const FasterInTwo& entry) {
    return entry.dtype == dtype && entry.in_channels == in_channels && entry.intrinsic == intrinsic &&
           pixels >= entry.pixels;
  });
}

}  // namespace ghostnet::cuda
