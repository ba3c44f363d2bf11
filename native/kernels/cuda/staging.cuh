// Copies input pixels and primary weights into shared memory: 64 bytes of channels of every row at a time,
// the next stages while the product reads the current stage.
#pragma once

#include "tile.cuh"

namespace ghostnet::cuda {

/**
 * The position of chunk `chunk` (16 bytes, 0 to 3) of a row in a stage. The exclusive or spreads eight
 * neighbouring rows over all banks.
 */
GHOSTNET_DEVICE int stage_offset(int row, int chunk) {
  return row * kStageRow + ((chunk ^ ((row >> 1) & 3)) << 4);
}

/**
 * Fills 16 bytes of shared memory with the first `count` channels at `from`, followed by zeros.
 * @param access bytes of one access: 16, 8 or 4 are copied asynchronously, 2 are gathered
 */
template <class T>
GHOSTNET_DEVICE void stage_chunk(char* to, const char* from, int count, int access) {
  constexpr int size = sizeof(T);
  if (access == 16) {
    async_copy<16>(to, from, count > 0);
  } else if (access == 8) {
#pragma unroll
    for (int i = 0; i < 16; i += 8) async_copy<8>(to + i, from + i, i < count * size);
  } else if (access == 4) {
#pragma unroll
    for (int i = 0; i < 16; i += 4) async_copy<4>(to + i, from + i, i < count * size);
  } else {
#pragma unroll 1
    for (int i = 0; i < 8; ++i) {
      reinterpret_cast<uint16_t*>(to)[i] =
          i * 2 < count * size ? load_constant(reinterpret_cast<const uint16_t*>(from) + i) : uint16_t{0};
    }
  }
}

/**
 * The image whose gates apply to a row, if a block computes pixels of one image. It is not kept in registers
 * while the product is computed.
 */
struct BlockImage {
  static GHOSTNET_DEVICE int of_row(const Arguments& a, int) {
    return block_index() / (a.channel_tiles * a.tiles);
  }
};
/** The same if a block computes pixels of the batch, across images. */
template <class Tile>
struct PixelImage {
  static GHOSTNET_DEVICE int of_row(const Arguments& a, int row) {
    const int64_t pixel = static_cast<int64_t>(block_index() / a.channel_tiles) * Tile::kPixels + row;
    return static_cast<int>(pixel / (a.height * a.width));
  }
};

/**
 * The share of one thread: chunk thread%4 of every (threads/4)-th row, first pixels, then weights.
 * @tparam Image returns the image of a row
 */
template <class Tile, class Image>
class Stager {
 public:
  /** @param pixel_of returns the pixel in `x` of a row of the tile, or -1 for a row without a pixel */
  template <class PixelOf>
  GHOSTNET_DEVICE Stager(const Arguments& a, const char* x, int first_map, PixelOf pixel_of)
      : arguments_(a), x_(x), first_map_(first_map) {
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
      const int pixel = pixel_of(row(i));
      offset_[i] = pixel < 0 ? -1 : pixel * row_bytes();
    }
  }

  GHOSTNET_DEVICE void copy(char* stage, int first_channel) const {
    const int channel = first_channel + chunk() * kVector<T>;
    const int count = arguments_.in_channels - channel;
    const char* x = x_ + channel * kSize;
    if (arguments_.input_access == 16) {
#pragma unroll
      for (int i = 0; i < kRows; ++i) put(stage, row(i), x, offset_[i], count, 16);
    } else {
      // Rare, and slow anyway: not worth the registers of an unrolled loop.
#pragma unroll 1
      for (int i = 0; i < kRows; ++i) put(stage, row(i), x, offset_at(i), count, arguments_.input_access);
    }
    const char* weight =
        arguments_.primary_weight + first_map_ * static_cast<size_t>(row_bytes()) + channel * kSize;
#pragma unroll 1
    for (int map = row(0); map < Tile::kChannels; map += kRowStep) {
      put(stage, Tile::kPixels + map, weight,
          map < arguments_.intrinsic - first_map_ ? map * row_bytes() : -1, count, arguments_.input_access);
    }
  }

  /** Multiplies the pixels that this thread has copied and waited for by their gates, before any other thread
   * reads them. */
  GHOSTNET_DEVICE void apply_gate(char* stage, int first_channel) const {
    if (!Tile::kGated || arguments_.gate == nullptr) return;
    const int channel = first_channel + chunk() * kVector<T>;
    const int count = arguments_.in_channels - channel;
    if (count <= 0) return;
#pragma unroll 1
    for (int i = 0; i < kRows; ++i) {
      if (offset_at(i) < 0) continue;
      const float* const gates = arguments_.gate + Image::of_row(arguments_, row(i)) * arguments_.in_channels;
      const Channels<T> gate = load_floats<T>(gates + channel, count, true);
      char* const at = stage + stage_offset(row(i), chunk());
      Channels<T> pixel = unpack<T>(load_shared16(at));
#pragma unroll
      for (int j = 0; j < kVector<T>; ++j) pixel.value[j] *= gate.value[j];
      store16(at, pack(pixel));
    }
  }

 private:
  using T = typename Tile::Scalar;
  static constexpr int kSize = sizeof(T);
  static constexpr int kRowStep = Tile::kThreads / 4;
  static constexpr int kRows = Tile::kPixels / kRowStep;

  GHOSTNET_DEVICE static int chunk() { return thread_index() % 4; }
  GHOSTNET_DEVICE static int row(int i) { return thread_index() / 4 + i * kRowStep; }
  GHOSTNET_DEVICE int row_bytes() const { return arguments_.in_channels * kSize; }
  /** An index unknown at compile time would put the array into memory. */
  GHOSTNET_DEVICE int offset_at(int index) const {
    int offset = offset_[0];
#pragma unroll
    for (int i = 1; i < kRows; ++i) {
      if (i == index) offset = offset_[i];
    }
    return offset;
  }
  /** @param offset of the row in the array, or -1 for a row of zeros */
  GHOSTNET_DEVICE void put(char* stage, int row, const char* from, int offset, int count, int access) const {
    stage_chunk<T>(stage + stage_offset(row, chunk()), from + (offset < 0 ? 0 : offset),
                   offset < 0 ? 0 : count, access);
  }

  const Arguments& arguments_;
  const char* x_;
  int first_map_;
  int offset_[kRows];  ///< in bytes
};

}  // namespace ghostnet::cuda
