// The primary convolution alone: the first kernel of a ghost module in two kernels, and 1x1 convolutions.
#pragma once

#include "ghost_launch.cuh"
#include "product.cuh"

namespace ghostnet::cuda {

/** The primary convolution with its epilogue: each block computes kPixels pixels of the batch, across images.
 */
template <class Tile>
GHOSTNET_KERNEL(Tile::kThreads, Tile::kBlocks)
primary_convolution(const Arguments a, const int64_t batch_pixels) {
  using T = typename Tile::Scalar;
  GHOSTNET_SHARED(shared, Tile::kSharedBytes);
  const int first_map = block_index() % a.channel_tiles * Tile::kChannels;
  const int64_t first_pixel = static_cast<int64_t>(block_index() / a.channel_tiles) * Tile::kPixels;
  const int64_t left = batch_pixels - first_pixel;
  const int pixels = left < Tile::kPixels ? static_cast<int>(left) : Tile::kPixels;
  const char* x = a.x + static_cast<size_t>(first_pixel) * static_cast<size_t>(a.in_channels) * sizeof(T);
  const Stager<Tile, PixelImage<Tile>> stager(a, x, first_map,
                                              [&](int row) { return row < pixels ? row : -1; });
  compute_intrinsic<Tile>(a, stager, first_map, pixels, shared);

  const int end_map = a.intrinsic < a.out_channels ? a.intrinsic : a.out_channels;
  const int maps = end_map - first_map < Tile::kChannels ? end_map - first_map : Tile::kChannels;
  constexpr int vectors = Tile::kChannels / kVector<T>;
#pragma unroll 1
  for (int item = thread_index(); item < vectors * pixels; item += Tile::kThreads) {
    const int map = item % vectors * kVector<T>;
    const int row = item / vectors;
    const Channels<T> values =
        unpack<T>(load_shared16(shared + row * Tile::kIntrinsicStride + map * static_cast<int>(sizeof(T))));
    const size_t at =
        static_cast<size_t>(first_pixel + row) * static_cast<size_t>(a.out_channels) + first_map + map;
    store_channels<T>(a.out + at * sizeof(T), values, maps - map, a.output_access);
  }
}

/** The primary convolution over all pixels of a batch. */
template <class T>
LaunchResult launch_product(Arguments a, int64_t pixels, CUstream_st* stream) {
  const auto run = [&]<class Tile>() -> LaunchResult {
    a.channel_tiles = divide_up(a.intrinsic < a.out_channels ? a.intrinsic : a.out_channels, Tile::kChannels);
    return launch_grid(blocks_of((pixels + Tile::kPixels - 1) / Tile::kPixels, a.channel_tiles),
                       Tile::kThreads, stream, primary_convolution<Tile>, a, pixels);
  };
  return with_row_bytes<T, 256>(a.intrinsic, a.gate != nullptr, run);
}

template <class T>
LaunchResult launch(const GhostPrimaryCall& call, CUstream_st* stream) {
  return launch_product<T>(arguments_of<T>(call), call.batch * call.height * call.width, stream);
}

template <class T>
LaunchResult launch(const PointwiseCall& call, CUstream_st* stream) {
  GpuGhostModule primary;
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

}  // namespace ghostnet::cuda
