// The cheap operation alone: the second kernel of a ghost module in two kernels.
#pragma once

#include "cheap_operation.cuh"
#include "ghost_launch.cuh"

namespace ghostnet::cuda {

inline constexpr int kCheapThreads = 128;
/** Rows of a column that one thread of the second kernel computes. */
inline constexpr int kCheapRows = 7;

/** The cheap operation with its epilogue, 3x3 with ratio 2: each thread computes part of a column. */
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

/** Any cheap operation with its epilogue: each thread computes kVector ghosts of a pixel. */
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

template <class T>
LaunchResult launch(const GhostCheapCall& call, CUstream_st* stream) {
  const Arguments a = arguments_of<T>(call);
  const int64_t plane = int64_t{1} * a.height * a.width;
  const bool columns = a.cheap_size == 3 && a.ghosts_per_map == 1;
  const int vectors = divide_up(a.intrinsic * a.ghosts_per_map, kVector<T>);
  const int64_t items = columns ? call.batch * divide_up(a.height, kCheapRows) * a.width * vectors
                                : call.batch * plane * vectors;
  return launch_grid(blocks_for(items, kCheapThreads), kCheapThreads, stream,
                     columns ? cheap_operation_columns<T> : cheap_operation_pixels<T>, a, items);
}

}  // namespace ghostnet::cuda
