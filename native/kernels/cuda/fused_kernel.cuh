// The ghost module in one kernel. Each block has a rectangle of the pixels of one image and some of the
// intrinsic maps. It computes these maps for the rectangle and for the halo around it inside the image, keeps
// them in shared memory, and writes them and their ghosts.
#pragma once

#include "cheap_operation.cuh"
#include "ghost_launch.cuh"
#include "product.cuh"

namespace ghostnet::cuda {

/** Channel tiles come first in the grid, so that blocks which read the same pixels run at the same time. */
template <class Tile>
struct FusedBlock {
  int image, first_map;
  Rectangle tile;    ///< pixels to write
  Rectangle region;  ///< pixels to compute

  GHOSTNET_DEVICE explicit FusedBlock(const Arguments& a) {
    int rest = block_index();
    first_map = rest % a.channel_tiles * Tile::kChannels;
    rest /= a.channel_tiles;
    const int position = rest % a.tiles;
    image = rest / a.tiles;
    constexpr bool always_whole = Tile::kPixels < kRegionSide * kRegionSide;
    if (always_whole || a.tile_side == 0) {
      tile = {0, 0, a.height, a.width};
      region = tile;
      return;
    }
    const int half = a.cheap_size / 2;
    tile.top = position / a.tiles_across * a.tile_side;
    tile.left = position % a.tiles_across * a.tile_side;
    tile.height = min_of(a.tile_side, a.height - tile.top);
    tile.width = min_of(a.tile_side, a.width - tile.left);
    region.top = max_of(0, tile.top - half);
    region.left = max_of(0, tile.left - half);
    region.height = min_of(a.height, tile.top + tile.height + half) - region.top;
    region.width = min_of(a.width, tile.left + tile.width + half) - region.left;
  }

 private:
  GHOSTNET_DEVICE static int min_of(int a, int b) { return a < b ? a : b; }
  GHOSTNET_DEVICE static int max_of(int a, int b) { return a < b ? b : a; }
};

/** The output of a block, once its intrinsic maps are in shared memory. */
template <class Tile>
class BlockOutput {
 public:
  GHOSTNET_DEVICE BlockOutput(const Arguments& a, const FusedBlock<Tile>& block, const char* shared)
      : a_(a), block_(block), source_{shared, block.region}, out_(a, block.image) {
    const int left = a.intrinsic - block.first_map;
    maps_ = left < Tile::kChannels ? left : Tile::kChannels;
  }

  GHOSTNET_DEVICE void write_intrinsic() const {
    const int vectors = vectors_of(maps_);
#pragma unroll 1
    for (int item = thread_index(); item < vectors * block_.tile.pixels(); item += Tile::kThreads) {
      const int map = item % vectors * kVector<T>;
      const int x = block_.tile.left + item / vectors % block_.tile.width;
      const int y = block_.tile.top + item / vectors / block_.tile.width;
      out_.write(y, x, block_.first_map + map, maps_ - map, source_.load(y, x, map));
    }
  }

  /** 3x3 with ratio 2: each thread walks down part of a column, in as many strips of rows as there are
   * threads for. */
  GHOSTNET_DEVICE void write_ghost_columns() const {
    const int vectors = vectors_of(maps_);
    const int columns = vectors * block_.tile.width;
    const int strips = columns < Tile::kThreads ? Tile::kThreads / columns : 1;
    const int rows = (block_.tile.height + strips - 1) / strips;
    const int items = columns * ((block_.tile.height + rows - 1) / rows);
#pragma unroll 1
    for (int item = thread_index(); item < items; item += Tile::kThreads) {
      const int first = item / columns * rows;
      const int end = first + rows < block_.tile.height ? first + rows : block_.tile.height;
      const int map = item % vectors * kVector<T>;
      const int x = block_.tile.left + item / vectors % block_.tile.width;
      cheap_column<T>(a_, source_, out_, x, block_.tile.top + first, block_.tile.top + end,
                      block_.first_map + map, map);
    }
  }

  template <int cheap_size>
  GHOSTNET_DEVICE void write_ghost_pixels() const {
    const int ghosts = maps_ * a_.ghosts_per_map;
    const int vectors = vectors_of(ghosts);
#pragma unroll 1
    for (int item = thread_index(); item < vectors * block_.tile.pixels(); item += Tile::kThreads) {
      const int ghost = item % vectors * kVector<T>;
      const int x = block_.tile.left + item / vectors % block_.tile.width;
      const int y = block_.tile.top + item / vectors / block_.tile.width;
      cheap_pixel<T, cheap_size>(a_, source_, out_, y, x, block_.first_map * a_.ghosts_per_map + ghost,
                                 block_.first_map, ghosts - ghost);
    }
  }

 private:
  using T = typename Tile::Scalar;

  GHOSTNET_DEVICE static int vectors_of(int channels) { return (channels + kVector<T> - 1) / kVector<T>; }

  const Arguments& a_;
  const FusedBlock<Tile>& block_;
  SharedIntrinsic<Tile> source_;
  Concatenation<T> out_;
  int maps_;
};

/** @tparam cheap_size 3 for 3x3 with ratio 2, 0 for any */
template <class Tile, int cheap_size>
GHOSTNET_KERNEL(Tile::kThreads, Tile::kBlocks)
fused_ghost_module(const Arguments a) {
  GHOSTNET_SHARED(shared, Tile::kSharedBytes);
  {
    const FusedBlock<Tile> block(a);
    const size_t image_bytes = a.image_bytes<typename Tile::Scalar>(a.in_channels);
    const Stager<Tile, BlockImage> stager(a, a.x + block.image * image_bytes, block.first_map, [&](int row) {
      if (row >= block.region.pixels()) return -1;
      const int y = block.region.top + row / block.region.width;
      return y * a.width + block.region.left + row % block.region.width;
    });
    compute_intrinsic<Tile>(a, stager, block.first_map, block.region.pixels(), shared);
  }
  // Computed again: keeping it through the product would need registers of the sums.
  const FusedBlock<Tile> block(a);
  const BlockOutput<Tile> output(a, block, shared);
  output.write_intrinsic();
  if constexpr (cheap_size == 3 && Tile::kRowBytes == 128) {
    output.write_ghost_columns();
  } else {
    output.template write_ghost_pixels<cheap_size>();
  }
}

template <class T>
LaunchResult launch(const GpuGhostCall& call, CUstream_st* stream) {
  const auto run = [&]<class Tile>() -> LaunchResult {
    Arguments a = arguments_of<T>(call);
    a.channel_tiles = divide_up(a.intrinsic, Tile::kChannels);
    a.tiles_across = a.tiles = 1;
    if (int64_t{1} * a.height * a.width > Tile::kPixels) {
      a.tile_side = kRegionSide - a.cheap_size / 2 * 2;
      a.tiles_across = divide_up(a.width, a.tile_side);
      a.tiles = a.tiles_across * divide_up(a.height, a.tile_side);
    }
    const auto kernel = a.cheap_size == 3 && a.ghosts_per_map == 1 ? fused_ghost_module<Tile, 3>
                                                                   : fused_ghost_module<Tile, 0>;
    return launch_grid(blocks_of(call.batch, int64_t{1} * a.tiles * a.channel_tiles), Tile::kThreads, stream,
                       kernel, a);
  };
  // A small plane is one small tile, with all channels in the widest rows.
  if (int64_t{1} * call.height * call.width <= 64) return run.template operator()<Tile<T, 64, 128>>();
  return with_row_bytes<T, 256>(call.intrinsic, call.gate != nullptr, run);
}

}  // namespace ghostnet::cuda
