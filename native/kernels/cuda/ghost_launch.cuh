// Shared by the launches of the ghost module kernels: their arguments, and the choice of a tile.
#pragma once

#include "launch.cuh"
#include "tile.cuh"

namespace ghostnet::cuda {

template <class T>
Arguments arguments_of(const GpuGhostModule& call) {
  constexpr int size = sizeof(T);
  Arguments a = {};
  a.x = static_cast<const char*>(call.x);
  a.primary_weight = static_cast<const char*>(call.primary_weight);
  a.primary_bias = call.primary_bias;
  a.cheap_weight = call.cheap_weight;
  a.cheap_bias = call.cheap_bias;
  a.gate = call.gate;
  a.residual = static_cast<const char*>(call.residual);
  a.out = static_cast<char*>(call.out);
  a.height = call.height;
  a.width = call.width;
  a.in_channels = call.in_channels;
  a.intrinsic = call.intrinsic;
  a.ghosts_per_map = call.ratio - 1;
  a.cheap_size = call.cheap_size;
  a.out_channels = call.out_channels;
  a.relu = call.relu;
  a.input_access =
      common_access({address(call.x), address(call.primary_weight), uint64_t{1} * call.in_channels * size});
  a.output_access =
      common_access({address(call.out), address(call.residual), uint64_t{1} * call.intrinsic * size,
                     uint64_t{1} * call.out_channels * size});
  a.cheap_aligned = common_access({address(call.cheap_weight), address(call.cheap_bias),
                                   uint64_t{sizeof(float)} * call.intrinsic * (call.ratio - 1)}) == 16;
  return a;
}

/** Chooses the channel tile for a plane and calls run.template operator()<Tile>(). */
template <class T, int pixels, class Run>
LaunchResult with_row_bytes(int intrinsic, bool gated, Run run) {
  if (gated) return run.template operator()<Tile<T, pixels, 128>>();
  const int bytes = intrinsic * static_cast<int>(sizeof(T));
  if constexpr (kNarrowestRow<T> <= 32) {
    if (bytes <= 32) return run.template operator()<Tile<T, pixels, 32>>();
  }
  if (bytes <= 64) return run.template operator()<Tile<T, pixels, 64>>();
  return run.template operator()<Tile<T, pixels, 128>>();
}

}  // namespace ghostnet::cuda
