// The primary product of a block: pixels x input channels times input channels x intrinsic maps. It is
// computed from staged rows in registers, and stored with bias and ReLU in shared memory, as rows of
// intrinsic channels.
#pragma once

#include "staging.cuh"

namespace ghostnet::cuda {

/** One warp's share of a product: kPixelsPerWarp pixels, all channels of the tile. */
template <class Tile>
class TensorCoreProduct {
 public:
  /** @param channels number of input channels in this stage; the rest is zeros */
  GHOSTNET_DEVICE void accumulate(const char* stage, int first_row, int rows, int maps, int channels) {
    const int lane = thread_index() % kWarp;
#pragma unroll Tile::kRowBytes == 128 ? kStageRow / 32 : 1  // narrow tiles have few registers
    for (int step = 0; step < kStageRow / 32; ++step) {
      if (step * kStepChannels >= channels) break;
      uint32_t x[kRowTiles][4];
#pragma unroll
      for (int i = 0; i < kRowTiles; ++i) {
        if (i * 16 >= rows) break;
        load_matrices(x[i], stage + stage_offset(first_row + i * 16 + lane % 16, step * 2 + lane / 16));
        round_operands(x[i]);
      }
#pragma unroll
      for (int j = 0; j < kColumnTiles; j += 2) {
        if (j * 8 >= maps) break;
        uint32_t weight[4];
        load_matrices(weight, stage + stage_offset(Tile::kPixels + j * 8 + lane / 16 * 8 + lane % 8,
                                                   step * 2 + lane / 8 % 2));
        round_operands(weight);
#pragma unroll
        for (int i = 0; i < kRowTiles; ++i) {
          if (i * 16 >= rows) break;
          multiply_accumulate<T>(sum_[i][j], x[i], weight[0], weight[1]);
          multiply_accumulate<T>(sum_[i][j + 1], x[i], weight[2], weight[3]);
        }
      }
    }
  }

  /** Calls write(row, channel, sums of `channel` and the next channel). */
  template <class Write>
  GHOSTNET_DEVICE void finish(Write write) {
    const int lane = thread_index() % kWarp;
#pragma unroll
    for (int i = 0; i < kRowTiles; ++i) {
#pragma unroll
      for (int j = 0; j < kColumnTiles; ++j) {
        const int row = i * 16 + lane / 4;
        const int channel = j * 8 + lane % 4 * 2;
        write(row, channel, &sum_[i][j][0]);
        write(row + 8, channel, &sum_[i][j][2]);
      }
    }
  }

  static constexpr int kChannelsPerWrite = 2;

 private:
  using T = typename Tile::Scalar;
  static constexpr int kRowTiles = Tile::kPixelsPerWarp / 16;
  static constexpr int kColumnTiles = Tile::kChannels / 8;
  static_assert(kColumnTiles % 2 == 0);
  /** Two chunks of 16 bytes, the depth of one instruction. */
  static constexpr int kStepChannels = 32 / static_cast<int>(sizeof(T));

  GHOSTNET_DEVICE static void round_operands(uint32_t (&fragment)[4]) {
    if constexpr (sizeof(T) == 4) {
#pragma unroll
      for (int i = 0; i < 4; ++i) fragment[i] = nearest_tensor_float(fragment[i]);
    }
  }

  float sum_[kRowTiles][kColumnTiles][4] = {};
};

/** The same in float32 on the CUDA cores: lane l computes rows l/8 + 4i and channels l%8 + 8j. */
template <class Tile>
class ScalarProduct {
 public:
  GHOSTNET_DEVICE void accumulate(const char* stage, int first_row, int rows, int maps, int channels) {
    const int lane = thread_index() % kWarp;
#pragma unroll Tile::kRowBytes == 128 ? kStageRow / 16 : 1  // narrow tiles have few registers
    for (int chunk = 0; chunk < kStageRow / 16; ++chunk) {
      if (chunk * 4 >= channels) break;
      Channels<float> weight[kColumns];
#pragma unroll
      for (int j = 0; j < kColumns; ++j) {
        if (j * 8 >= maps) break;
        weight[j] =
            unpack<float>(load_shared16(stage + stage_offset(Tile::kPixels + lane % 8 + j * 8, chunk)));
      }
#pragma unroll
      for (int i = 0; i < kRows; ++i) {
        if (i * 4 >= rows) break;
        const Channels<float> x =
            unpack<float>(load_shared16(stage + stage_offset(first_row + lane / 8 + i * 4, chunk)));
#pragma unroll
        for (int j = 0; j < kColumns; ++j) {
          if (j * 8 >= maps) break;
#pragma unroll
          for (int k = 0; k < 4; ++k) sum_[i][j] += x.value[k] * weight[j].value[k];
        }
      }
    }
  }

  template <class Write>
  GHOSTNET_DEVICE void finish(Write write) {
    const int lane = thread_index() % kWarp;
#pragma unroll
    for (int i = 0; i < kRows; ++i) {
#pragma unroll
      for (int j = 0; j < kColumns; ++j) write(lane / 8 + i * 4, lane % 8 + j * 8, &sum_[i][j]);
    }
  }

  static constexpr int kChannelsPerWrite = 1;

 private:
  static constexpr int kRows = Tile::kPixelsPerWarp / 4;
  static constexpr int kColumns = Tile::kChannels / 8;

  float sum_[kRows][kColumns] = {};
};

template <class Tile>
struct ProductOf {
  using Type = TensorCoreProduct<Tile>;
};
template <int pixels, int row_bytes>
struct ProductOf<Tile<float, pixels, row_bytes>> {
  using Type = ScalarProduct<Tile<float, pixels, row_bytes>>;
};

/**
 * Computes the intrinsic maps of the pixels of a block, rounded to T: row r of `shared` (stride
 * Tile::kIntrinsicStride) gets the channels of pixel r, followed by zeros if the module has no more maps.
 * Rows from `pixels` on do not change. All threads may read the rows when it returns.
 */
template <class Tile, class Image>
GHOSTNET_DEVICE void compute_intrinsic(const Arguments& a, const Stager<Tile, Image>& stager, int first_map,
                                       int pixels, char* shared) {
  using T = typename Tile::Scalar;
  constexpr int channels_per_stage = kStageRow / static_cast<int>(sizeof(T));
  const int first_row = thread_index() / kWarp * Tile::kPixelsPerWarp;
  const int rows = pixels - first_row;
  const int maps = a.intrinsic - first_map;

  typename ProductOf<Tile>::Type product;
  constexpr int ahead = Tile::kStages - 1;
  // Each stage has a group of copies, even if nothing is left to copy, because groups are counted.
  const auto copy = [&](int stage, int channel) {
    if (channel < a.in_channels) stager.copy(shared + stage, channel);
    async_group();
  };
  stager.copy(shared, 0);
  async_group();
#pragma unroll 1
  for (int i = 1; i < ahead; ++i) copy(i * Tile::kStageBytes, i * channels_per_stage);
  int stage = 0;  // its position
#pragma unroll 1
  for (int channel = 0; channel < a.in_channels; channel += channels_per_stage) {
    async_wait<ahead - 1>();
    stager.apply_gate(shared + stage, channel);
    // All copies of this stage have landed, and no warp reads the one before any more.
    block_barrier();
    // The stage before is free for the last stage that is copied.
    copy(stage == 0 ? ahead * Tile::kStageBytes : stage - Tile::kStageBytes,
         channel + ahead * channels_per_stage);
    product.accumulate(shared + stage, first_row, rows, maps, a.in_channels - channel);
    stage = stage == ahead * Tile::kStageBytes ? 0 : stage + Tile::kStageBytes;
  }
  // The rows of intrinsic channels overwrite the stages.
  block_barrier();
  product.finish([&](int row, int channel, const float* sums) {
    if (row >= rows) return;
    float values[2] = {0, 0};
#pragma unroll
    for (int i = 0; i < product.kChannelsPerWrite; ++i) {
      if (channel + i >= maps) continue;
      values[i] = rectified(sums[i] + load_constant(a.primary_bias + first_map + channel + i), a.relu);
    }
    char* to = shared + (first_row + row) * Tile::kIntrinsicStride + channel * static_cast<int>(sizeof(T));
    if constexpr (product.kChannelsPerWrite * sizeof(T) == 8) {
      store8(to, {{Word<T>::pack(values), Word<T>::pack(values + 1)}});
    } else {
      *reinterpret_cast<uint32_t*>(to) = Word<T>::pack(values);
    }
  });
  block_barrier();
}

}  // namespace ghostnet::cuda
