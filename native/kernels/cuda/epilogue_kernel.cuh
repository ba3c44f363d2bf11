// The rest of a ghost module whose primary convolution was computed elsewhere: bias and ReLU of its result,
// the cheap operation and the concatenation, in one kernel.
#pragma once

#include "cheap_operation.cuh"
#include "ghost_launch.cuh"

namespace ghostnet::cuda {

/** Intrinsic maps of one image, computed from the sums of the primary convolution when they are read. */
template <class T>
struct BareIntrinsic {
  const Arguments& a;
  const char* image;
  bool bias_aligned;  ///< four biases can be read at once

  GHOSTNET_DEVICE const char* row(int y, int x) const {
    return image + (y * a.width + x) * a.intrinsic * static_cast<int>(sizeof(T));
  }
  /** Rounded as if they had been stored in memory. */
  GHOSTNET_DEVICE Channels<T> load(int y, int x, int map) const {
    const int count = a.intrinsic - map;
    Channels<T> values =
        load_channels<T>(row(y, x) + map * static_cast<int>(sizeof(T)), count, a.input_access);
    const Channels<T> bias = load_floats<T>(a.primary_bias + map, count, bias_aligned);
#pragma unroll
    for (int i = 0; i < kVector<T>; ++i) values.value[i] = rectified(values.value[i] + bias.value[i], a.relu);
    return unpack<T>(pack(values));
  }
  GHOSTNET_DEVICE float load_one(int y, int x, int map) const {
    const float sum = load_element<T>(row(y, x), map) + load_constant(a.primary_bias + map);
    return rounded<T>(rectified(sum, a.relu));
  }
};

inline constexpr int kEpilogueThreads = 128;

/** Each thread computes kVector maps of a pixel, intrinsic maps or ghosts. a.x holds the sums, a.intrinsic
 * per pixel. */
template <class T>
GHOSTNET_KERNEL(kEpilogueThreads, 4)
ghost_epilogue(const Arguments a, const bool bias_aligned, const int64_t items) {
  const int64_t item = static_cast<int64_t>(block_index()) * kEpilogueThreads + thread_index();
  if (item >= items) return;
  const int maps = (a.intrinsic + kVector<T> - 1) / kVector<T>;
  const int vectors = maps + (a.ghosts() + kVector<T> - 1) / kVector<T>;
  const Share share = share_of(item, vectors, a.width, a.height);
  const BareIntrinsic<T> source = {a, a.x + share.image * a.image_bytes<T>(a.intrinsic), bias_aligned};
  const Concatenation<T> out(a, share.image);
  if (share.vector < maps) {
    const int map = share.vector * kVector<T>;
    out.write(share.y, share.x, map, a.intrinsic - map, source.load(share.y, share.x, map));
  } else {
    const int ghost = (share.vector - maps) * kVector<T>;
    cheap_pixel<T, 0>(a, source, out, share.y, share.x, ghost, 0, a.ghosts() - ghost);
  }
}

template <class T>
LaunchResult launch(const GhostEpilogueCall& call, CUstream_st* stream) {
  const Arguments a = arguments_of<T>(call);
  const bool bias_aligned = common_access({address(call.primary_bias)}) == 16 && a.intrinsic % 4 == 0;
  const int vectors =
      divide_up(a.intrinsic, kVector<T>) + divide_up(a.intrinsic * a.ghosts_per_map, kVector<T>);
  const int64_t items = call.batch * a.height * a.width * vectors;
  return launch_grid(blocks_for(items, kEpilogueThreads), kEpilogueThreads, stream, ghost_epilogue<T>, a,
                     bias_aligned, items);
}

}  // namespace ghostnet::cuda
