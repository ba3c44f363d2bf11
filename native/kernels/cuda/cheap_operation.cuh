// The cheap operation: ghosts from intrinsic maps in any memory. The padding is zero after bias and ReLU of
// the primary convolution, so a tap outside the image adds nothing.
#pragma once

#include "tile.cuh"

namespace ghostnet::cuda {

/** Intrinsic maps in shared memory: one row of the channels of a tile for each pixel of `region`. */
template <class Tile>
struct SharedIntrinsic {
  using T = typename Tile::Scalar;
  const char* rows;
  Rectangle region;

  GHOSTNET_DEVICE const char* row(int y, int x) const {
    return rows + ((y - region.top) * region.width + x - region.left) * Tile::kIntrinsicStride;
  }
  /** Channels from `map`, relative to the first map of the block. */
  GHOSTNET_DEVICE Channels<T> load(int y, int x, int map) const {
    return unpack<T>(load_shared16(row(y, x) + map * static_cast<int>(sizeof(T))));
  }
  GHOSTNET_DEVICE float load_one(int y, int x, int map) const { return load_element<T>(row(y, x), map); }
};

/** Intrinsic maps in the concatenated buffer of one image. */
template <class T>
struct GlobalIntrinsic {
  const char* image;
  int width, stride, maps, access;

  GHOSTNET_DEVICE static GlobalIntrinsic of(const Arguments& a, int image) {
    return {a.out + image * a.image_bytes<T>(a.out_channels), a.width, a.out_channels, a.intrinsic,
            a.output_access};
  }
  GHOSTNET_DEVICE const char* row(int y, int x) const {
    return image + (y * width + x) * stride * static_cast<int>(sizeof(T));
  }
  GHOSTNET_DEVICE Channels<T> load(int y, int x, int map) const {
    return load_channels<T>(row(y, x) + map * static_cast<int>(sizeof(T)), maps - map, access);
  }
  GHOSTNET_DEVICE float load_one(int y, int x, int map) const { return load_element<T>(row(y, x), map); }
};

/** The result of one image: concatenated channels, to which the residual is added. */
template <class T>
class Concatenation {
 public:
  GHOSTNET_DEVICE Concatenation(const Arguments& a, int image) : a_(a) {
    const size_t bytes = a.image_bytes<T>(a.out_channels);
    out_ = a.out + image * bytes;
    residual_ = a.residual == nullptr ? nullptr : a.residual + image * bytes;
  }

  /** Writes `count` channels of the pixel from `channel`, fewer if the concatenation is cut. */
  GHOSTNET_DEVICE void write(int y, int x, int channel, int count, Channels<T> values) const {
    const int room = a_.out_channels - channel;
    if (count > room) count = room;
    if (count <= 0) return;
    const int at = ((y * a_.width + x) * a_.out_channels + channel) * static_cast<int>(sizeof(T));
    if (residual_ != nullptr) {
      const Channels<T> residual = load_channels<T>(residual_ + at, count, a_.output_access);
#pragma unroll
      for (int i = 0; i < kVector<T>; ++i) values.value[i] += residual.value[i];
    }
    store_channels<T>(out_ + at, values, count, a_.output_access);
  }

 private:
  const Arguments& a_;
  char* out_;
  const char* residual_;
};

/**
 * Computes one column of a 3x3 cheap operation with ratio 2, kVector<T> channels wide: rows [first_row,
 * end_row) of column x. Every intrinsic value is loaded once for the three rows it contributes to.
 * @param map in the whole module
 * @param local_map the same map, in the numbering of `source`
 */
template <class T, class Source>
GHOSTNET_DEVICE void cheap_column(const Arguments& a, const Source& source, const Concatenation<T>& out,
                                  int x, int first_row, int end_row, int map, int local_map) {
  const int count = a.intrinsic - map;
  const auto weight_at = [&](int tap) {
    return load_floats<T>(a.cheap_weight + static_cast<size_t>(tap) * a.intrinsic + map, count,
                          a.cheap_aligned);
  };
  Channels<T> weight[6];
#pragma unroll
  for (int i = 0; i < 6; ++i) weight[i] = weight_at(3 + i);

  // The sums of the rows above, at and below the intrinsic row that is being read. The bias and the upper
  // taps, which start a sum, are read from the cache each time, because registers are scarcer.
  Channels<T> above = {}, at = load_floats<T>(a.cheap_bias + map, count, a.cheap_aligned);
#pragma unroll 1
  for (int y = first_row - 1; y <= end_row; ++y) {
    Channels<T> below = load_floats<T>(a.cheap_bias + map, count, a.cheap_aligned);
    if (y >= 0 && y < a.height) {
#pragma unroll
      for (int dx = -1; dx <= 1; ++dx) {
        if (x + dx < 0 || x + dx >= a.width) continue;
        const Channels<T> value = source.load(y, x + dx, local_map);
        const Channels<T> upper = weight_at(1 + dx);
#pragma unroll
        for (int i = 0; i < kVector<T>; ++i) {
          above.value[i] += weight[4 + dx].value[i] * value.value[i];
          at.value[i] += weight[1 + dx].value[i] * value.value[i];
          below.value[i] += upper.value[i] * value.value[i];
        }
      }
    }
    if (y > first_row) {
#pragma unroll
      for (int i = 0; i < kVector<T>; ++i) above.value[i] = rectified(above.value[i], a.relu);
      out.write(y - 1, x, a.intrinsic + map, count, above);
    }
    above = at;
    at = below;
  }
}

/**
 * Computes kVector<T> ghosts of one pixel, tap by tap, for any cheap operation.
 * @tparam cheap_size 3 for 3x3 with ratio 2, 0 for any
 * @param ghost in the whole module
 * @param first_map the map of the module that is 0 in the numbering of `source`
 * @param count number of ghosts that exist from `ghost`
 */
template <class T, int cheap_size, class Source>
GHOSTNET_DEVICE void cheap_pixel(const Arguments& a, const Source& source, const Concatenation<T>& out, int y,
                                 int x, int ghost, int first_map, int count) {
  const int side = cheap_size == 0 ? a.cheap_size : cheap_size;
  const int half = side / 2;
  const int ghosts = a.ghosts();
  Channels<T> sum = load_floats<T>(a.cheap_bias + ghost, count, a.cheap_aligned);
#pragma unroll 1
  for (int dy = -half; dy <= half; ++dy) {
    if (y + dy < 0 || y + dy >= a.height) continue;
#pragma unroll 1
    for (int dx = -half; dx <= half; ++dx) {
      if (x + dx < 0 || x + dx >= a.width) continue;
      const int tap = (dy + half) * side + dx + half;
      const Channels<T> weight =
          load_floats<T>(a.cheap_weight + static_cast<size_t>(tap) * ghosts + ghost, count, a.cheap_aligned);
      if (cheap_size != 0 || a.ghosts_per_map == 1) {
        const Channels<T> value = source.load(y + dy, x + dx, ghost - first_map);
#pragma unroll
        for (int i = 0; i < kVector<T>; ++i) sum.value[i] += weight.value[i] * value.value[i];
      } else {
#pragma unroll
        for (int i = 0; i < kVector<T>; ++i) {
          if (i >= count) break;
          const int map = (ghost + i) / a.ghosts_per_map - first_map;
          sum.value[i] += weight.value[i] * source.load_one(y + dy, x + dx, map);
        }
      }
    }
  }
#pragma unroll
  for (int i = 0; i < kVector<T>; ++i) sum.value[i] = rectified(sum.value[i], a.relu);
  out.write(y, x, a.intrinsic + ghost, count, sum);
}

}  // namespace ghostnet::cuda
