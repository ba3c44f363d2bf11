#include <limits>
#include <type_traits>

#include "launch.h"

namespace ghostnet::cuda {

namespace {

constexpr int64_t kMost = std::numeric_limits<int32_t>::max();

// Kernels count the bytes of one image, and of one weight, in 32 bits.
bool countable(std::initializer_list<int64_t> sizes) {
  int64_t numbers = 1;
  for (const int64_t size : sizes) {
    if (size < 1 || size > kMost / 4 / numbers) return false;
    numbers *= size;
  }
  return true;
}

bool supported(const StemCall& call) {
  return call.batch >= 0 && countable({call.height, call.width, 3}) && countable({27, call.out_channels}) &&
         countable({(call.height + 1) / 2, (call.width + 1) / 2, call.out_channels});
}

bool supported(const DepthwiseCall& call) {
  return call.batch >= 0 && countable({call.height, call.width, call.channels}) && call.size >= 1 &&
         call.size <= kMaxDepthwiseSize && call.size % 2 == 1 && (call.stride == 1 || call.stride == 2) &&
         countable({call.size, call.size, call.channels});
}

bool supported(const PointwiseCall& call) {
  return call.pixels >= 0 && countable({call.in_channels, call.out_channels});
}

bool supported(const MeansCall& call) { return call.batch >= 0 && countable({call.pixels, call.channels}); }

bool supported(const DenseCall& call) { return call.rows >= 0 && countable({call.depth, call.columns}); }

bool supported(const AdditionCall& call) { return call.count >= 0; }

template <class Call>
LaunchResult launch(const Call& call, int64_t amount, CUstream_st* stream) {
  if (!supported(call)) return {Launch::unsupported};
  if (amount == 0) return {};
  return with_dtype(call.dtype, [&]<class T>() {
    constexpr bool multiplies = std::is_same_v<Call, PointwiseCall>;
    return Launches<std::conditional_t<multiplies, T, typename MemoryOf<T>::Type>>::layer(call, stream);
  });
}

}  // namespace

LaunchResult launch_layer(const StemCall& call, CUstream_st* stream) {
  return launch(call, call.batch, stream);
}
LaunchResult launch_layer(const DepthwiseCall& call, CUstream_st* stream) {
  return launch(call, call.batch, stream);
}
LaunchResult launch_layer(const PointwiseCall& call, CUstream_st* stream) {
  return launch(call, call.pixels, stream);
}
LaunchResult launch_layer(const MeansCall& call, CUstream_st* stream) {
  return launch(call, call.batch, stream);
}
LaunchResult launch_layer(const DenseCall& call, CUstream_st* stream) {
  return launch(call, call.rows, stream);
}
LaunchResult launch_layer(const AdditionCall& call, CUstream_st* stream) {
  return launch(call, call.count, stream);
}

}  // namespace ghostnet::cuda
