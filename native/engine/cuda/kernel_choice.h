/**
 * Which ghost modules run in one kernel and which in two. Without measurements on a GPU: all in one.
 */
#pragma once

#include <cstdint>

#include "kernels/cuda/launch_result.h"

namespace ghostnet::cuda {

/** The basis of the choice. */
enum class GhostPath {
  measured,  ///< the table in faster_in_two.h
  fused,     ///< all in one
  in_two,    ///< all in two
};

/** @param batch,height,width,in_channels,intrinsic of the module */
bool runs_in_two(GhostPath path, NumberType dtype, int64_t batch, int height, int width, int in_channels,
                 int intrinsic);

}  // namespace ghostnet::cuda
