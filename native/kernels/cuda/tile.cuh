// The share of one block, and the layout of its shared memory.
#pragma once

#include <type_traits>

#include "vector.cuh"

namespace ghostnet::cuda {

/** Bytes of input channels per row of a stage; see staging.cuh. */
inline constexpr int kStageRow = 64;
inline constexpr int kWarp = 32;
/** Bytes of the narrowest row of intrinsic channels: tensor cores compute 16 channels at a time. */
template <class T>
inline constexpr int kNarrowestRow = std::is_same_v<T, TensorFloat32> ? 64 : 32;
/** Side of the square of pixels of a block, if a plane needs more than one tile. */
inline constexpr int kRegionSide = 16;

/**
 * @tparam pixels largest number of pixels in the primary product of a block
 * @tparam row_bytes bytes of intrinsic channels of a block
 */
template <class T, int pixels, int row_bytes>
struct Tile {
  using Scalar = T;
  static constexpr int kPixels = pixels;
  static constexpr int kRowBytes = row_bytes;
  static constexpr int kChannels = row_bytes / static_cast<int>(sizeof(T));
  static constexpr int kPixelsPerWarp = pixels >= 256 ? 32 : 16;
  static constexpr int kThreads = pixels / kPixelsPerWarp * kWarp;
  /** Blocks whose registers fit in a multiprocessor, with 128 registers per thread for the widest rows, else
   * 80. */
  static constexpr int kBlocks = (row_bytes == 128 ? 512 : 768) / kThreads;

  /** Whether registers are left to multiply pixels by gates. */
  static constexpr bool kGated = row_bytes == 128;

  static constexpr int kStageBytes = (pixels + kChannels) * kStageRow;
  /** One stage is multiplied while the others are copied. Small planes are deep: many consecutive stages of
   * few bytes, more of which are in flight. */
  static constexpr int kStages = pixels >= 256 ? 2 : 4;
  /** The padding puts the rows that a warp writes at once into different banks. */
  static constexpr int kIntrinsicStride = row_bytes + 16;
  /** The intrinsic maps replace the stages after the product. */
  static constexpr int kSharedBytes =
      kStages * kStageBytes > pixels* kIntrinsicStride ? kStages* kStageBytes : pixels* kIntrinsicStride;
};

/** The share of one thread if threads go through a whole batch: some channels of a pixel or a strip. */
struct Share {
  int vector;  ///< of kVector channels
  int x, y;    ///< y counts pixels or strips of rows
  int image;
};

/** Share number `item`, channels first, then columns. */
GHOSTNET_DEVICE Share share_of(int64_t item, int vectors, int width, int height) {
  const int64_t pixel = item / vectors;
  const int64_t row = pixel / width;
  return {static_cast<int>(item % vectors), static_cast<int>(pixel % width), static_cast<int>(row % height),
          static_cast<int>(row / height)};
}

/** A part of a plane. */
struct Rectangle {
  int top, left, height, width;

  GHOSTNET_DEVICE int pixels() const { return height * width; }
};

/** A call in the form for the kernels. */
struct Arguments {
  const char* x;
  const char* primary_weight;
  const float* primary_bias;
  const float* cheap_weight;
  const float* cheap_bias;
  const float* gate;
  const char* residual;
  char* out;
  int height, width, in_channels, intrinsic, ghosts_per_map, cheap_size, out_channels;
  bool relu;
  int input_access;    ///< bytes of one access to x and to the primary weight
  int output_access;   ///< bytes of one access to out and residual
  bool cheap_aligned;  ///< four of the cheap weights or biases can be read at once
  int tile_side;       ///< 0: the plane is one tile
  int tiles_across, tiles, channel_tiles;

  GHOSTNET_DEVICE int ghosts() const { return intrinsic * ghosts_per_map; }
  /** Bytes of an image with this number of channels of T. */
  template <class T>
  GHOSTNET_DEVICE size_t image_bytes(int channels) const {
    return static_cast<size_t>(height) * static_cast<size_t>(width) * static_cast<size_t>(channels) *
           sizeof(T);
  }
};

}  // namespace ghostnet::cuda
