// The ghost module in two kernels that both write into the concatenated result.
#pragma once

#include "cheap_operation.cuh"
#include "product.cuh"

namespace ghostnet::cuda {

/** The primary convolution with its epilogue: a block takes kPixels pixels of the batch, wherever images end.
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

inline constexpr int kCheapThreads = 128;
/** Rows of a column that one thread of the second kernel takes. */
inline constexpr int kCheapRows = 7;

/** The cheap operation with its epilogue, 3x3 of ratio 2: a thread takes a piece of a column. */
template <class T>
GHOSTNET_KERNEL(kCheapThreads, 3)
cheap_operation_columns(const Arguments a, const int64_t items) {
  const int64_t item = static_cast<int64_t>(block_index()) * kCheapThreads + thread_index();
  if (item >= items) return;
  const int vectors = (a.intrinsic + kVector<T> - 1) / kVector<T>;
  const int strips = (a.height + kCheapRows - 1) / kCheapRows;
  const Share share = share_of(item, vectors, a.width, strips);
  const int map = share.vector * kVector<T>;
  const int first = share.y * kCheapRows;
  const int end = first + kCheapRows < a.height ? first + kCheapRows : a.height;
  const Concatenation<T> out(a, share.image);
  cheap_column<T>(a, GlobalIntrinsic<T>::of(a, share.image), out, share.x, first, end, map, map);
}

/** The cheap operation with its epilogue, any: a thread takes kVector ghosts of a pixel. */
template <class T>
GHOSTNET_KERNEL(kCheapThreads, 4)
cheap_operation_pixels(const Arguments a, const int64_t items) {
  const int64_t item = static_cast<int64_t>(block_index()) * kCheapThreads + thread_index();
  if (item >= items) return;
  const int ghosts = a.ghosts();
  const int vectors = (ghosts + kVector<T> - 1) / kVector<T>;
  const Share share = share_of(item, vectors, a.width, a.height);
  const int ghost = share.vector * kVector<T>;
  const Concatenation<T> out(a, share.image);
  cheap_pixel<T, 0>(a, GlobalIntrinsic<T>::of(a, share.image), out, share.y, share.x, ghost, 0,
                    ghosts - ghost);
}

}  // namespace ghostnet::cuda
