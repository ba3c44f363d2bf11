// From a call to the kernel that fits it, for one dtype. Included by a .cu file for each, so that they
// compile side by side.
#pragma once

#include "epilogue_kernel.cuh"
#include "fused_kernel.cuh"
#include "launch.h"
#include "two_kernels.cuh"

namespace ghostnet::cuda {

template <class T>
Arguments arguments_of(const GpuGhostCall& call) {
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

/** The channels' tile of a plane; calls run.template operator()<Tile>(). */
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

template <class T>
LaunchResult Launches<T>::fused(const GpuGhostCall& call, CUstream_st* stream) {
  const auto run = [&]<class Tile>() -> LaunchResult {
    Arguments a = arguments_of<T>(call);
    a.channel_tiles = divide_up(a.intrinsic, Tile::kChannels);
    a.tiles_across = a.tiles = 1;
    if (int64_t{1} * a.height * a.width > Tile::kPixels) {
      a.tile_side = kRegionSide - a.cheap_size / 2 * 2;
      a.tiles_across = divide_up(a.width, a.tile_side);
      a.tiles = a.tiles_across * divide_up(a.height, a.tile_side);
    }
    const int64_t blocks = blocks_of(call.batch, int64_t{1} * a.tiles * a.channel_tiles);
    if (blocks < 0) return {Launch::unsupported};
    if (a.cheap_size == 3 && a.ghosts_per_map == 1) {
      GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), Tile::kThreads, stream, (fused_ghost_module<Tile, 3>),
                      a);
    } else {
      GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), Tile::kThreads, stream, (fused_ghost_module<Tile, 0>),
                      a);
    }
    return last_launch();
  };
  // A small plane is one small tile, with all channels in the widest rows.
  if (int64_t{1} * call.height * call.width <= 64) return run.template operator()<Tile<T, 64, 128>>();
  return with_row_bytes<T, 256>(call.intrinsic, call.gate != nullptr, run);
}

/** The primary convolution over all pixels of a batch. */
template <class T>
LaunchResult launch_product(Arguments a, int64_t pixels, CUstream_st* stream) {
  const auto run = [&]<class Tile>() -> LaunchResult {
    a.channel_tiles = divide_up(a.intrinsic < a.out_channels ? a.intrinsic : a.out_channels, Tile::kChannels);
    const int64_t blocks = blocks_of((pixels + Tile::kPixels - 1) / Tile::kPixels, a.channel_tiles);
    if (blocks < 0) return {Launch::unsupported};
    GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), Tile::kThreads, stream, primary_convolution<Tile>, a,
                    pixels);
    return last_launch();
  };
  return with_row_bytes<T, 256>(a.intrinsic, a.gate != nullptr, run);
}

template <class T>
LaunchResult Launches<T>::layer(const PointwiseCall& call, CUstream_st* stream) {
  GpuGhostCall primary;
  primary.x = call.x;
  primary.primary_weight = call.weight;
  primary.primary_bias = call.bias;
  primary.out = call.out;
  primary.height = primary.width = 1;
  primary.in_channels = call.in_channels;
  primary.intrinsic = primary.out_channels = call.out_channels;
  primary.relu = call.relu;
  return launch_product<T>(arguments_of<T>(primary), call.pixels, stream);
}

template <class T>
LaunchResult Launches<T>::primary(const GpuGhostCall& call, CUstream_st* stream) {
  return launch_product<T>(arguments_of<T>(call), call.batch * call.height * call.width, stream);
}

template <class T>
LaunchResult Launches<T>::cheap(const GpuGhostCall& call, CUstream_st* stream) {
  const Arguments a = arguments_of<T>(call);
  const int64_t plane = int64_t{1} * a.height * a.width;
  const bool columns = a.cheap_size == 3 && a.ghosts_per_map == 1;
  const int vectors = divide_up(a.intrinsic * a.ghosts_per_map, kVector<T>);
  const int64_t items = columns ? call.batch * divide_up(a.height, kCheapRows) * a.width * vectors
                                : call.batch * plane * vectors;
  const int64_t blocks = blocks_of((items + kCheapThreads - 1) / kCheapThreads, 1);
  if (blocks < 0) return {Launch::unsupported};
  if (columns) {
    GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), kCheapThreads, stream, cheap_operation_columns<T>, a,
                    items);
  } else {
    GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), kCheapThreads, stream, cheap_operation_pixels<T>, a,
                    items);
  }
  return last_launch();
}

template <class T>
LaunchResult Launches<T>::epilogue(const GpuGhostCall& call, CUstream_st* stream) {
  const Arguments a = arguments_of<T>(call);
  const bool bias_aligned = common_access({address(call.primary_bias)}) == 16 && a.intrinsic % 4 == 0;
  const int vectors =
      divide_up(a.intrinsic, kVector<T>) + divide_up(a.intrinsic * a.ghosts_per_map, kVector<T>);
  const int64_t items = call.batch * a.height * a.width * vectors;
  const int64_t blocks = blocks_of((items + kEpilogueThreads - 1) / kEpilogueThreads, 1);
  if (blocks < 0) return {Launch::unsupported};
  GHOSTNET_LAUNCH(static_cast<unsigned>(blocks), kEpilogueThreads, stream, ghost_epilogue<T>, a, bias_aligned,
                  items);
  return last_launch();
}

}  // namespace ghostnet::cuda
