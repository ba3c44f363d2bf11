// Stand-ins for the kernels over the model of the runtime: each launch reads all memory that its kernel
// reads, and writes a digest of it to all memory that its kernel writes. Equal batches have equal results,
// and any difference on the way changes the result.
#include <cstring>
#include <type_traits>

#include "kernels/cuda/launch.h"
#include "runtime_model.h"

namespace ghostnet::cuda {

namespace {

using cuda_model::Bytes;

/** The memory that a launch accesses; the last range is written. */
class Touched {
 public:
  explicit Touched(Precision dtype) : dtype_(dtype) {}

  /** Numbers of the dtype. */
  Touched& values(const void* data, int64_t count) { return add(data, count * size_of(dtype_)); }
  Touched& floats(const float* data, int64_t count) { return add(data, count * 4); }
  Touched& add(const void* data, int64_t bytes) {
    if (data != nullptr) all_.emplace_back(static_cast<const std::byte*>(data), static_cast<size_t>(bytes));
    return *this;
  }

  LaunchResult launch(CUstream_st* stream) const {
    cuda_model::launch_kernel(stream, [all = all_] { write_digest(all); }, all_);
    return last_launch();
  }

 private:
  static void write_digest(const std::vector<Bytes>& all) {
    uint64_t digest = 0x9e3779b97f4a7c15;
    const auto mix = [&](uint64_t word) {
      digest = (digest ^ word) * 0xff51afd7ed558ccd;
      digest ^= digest >> 32;
    };
    for (size_t input = 0; input + 1 < all.size(); ++input) {
      for (size_t at = 0; at < all[input].size(); at += sizeof(uint64_t)) {
        uint64_t word = 0;
        std::memcpy(&word, all[input].data() + at, std::min(sizeof word, all[input].size() - at));
        mix(word);
      }
    }
    auto* const out = const_cast<std::byte*>(all.back().data());
    for (size_t at = 0; at < all.back().size(); at += sizeof(uint64_t)) {
      mix(at);
      std::memcpy(out + at, &digest, std::min(sizeof digest, all.back().size() - at));
    }
  }

  Precision dtype_;
  std::vector<Bytes> all_;
};

int64_t behind(int side, int stride) { return (side - 1) / stride + 1; }

Touched touched_by(const StemCall& call) {
  const int64_t numbers = call.batch * call.height * call.width * 3;
  const int64_t pixels = call.batch * behind(call.height, 2) * behind(call.width, 2);
  return Touched(call.dtype)
      .add(call.input, numbers * (call.bytes ? 1 : 4))
      .floats(call.weight, int64_t{27} * call.out_channels)
      .floats(call.bias, call.out_channels)
      .values(call.out, pixels * call.out_channels);
}

int64_t pixels_of(const GpuGhostModule& call) { return call.batch * call.height * call.width; }

Touched& add_primary(Touched& touched, const GpuGhostModule& call) {
  return touched.values(call.x, pixels_of(call) * call.in_channels)
      .values(call.primary_weight, int64_t{1} * call.intrinsic * call.in_channels)
      .floats(call.primary_bias, call.intrinsic)
      .floats(call.gate, call.batch * call.in_channels);
}
Touched& add_cheap(Touched& touched, const GpuGhostModule& call) {
  const int64_t ghosts = int64_t{1} * call.intrinsic * (call.ratio - 1);
  return touched.floats(call.cheap_weight, ghosts * call.cheap_size * call.cheap_size)
      .floats(call.cheap_bias, ghosts)
      .values(call.residual, pixels_of(call) * call.out_channels);
}
Touched& add_out(Touched& touched, const GpuGhostModule& call) {
  return touched.values(call.out, pixels_of(call) * call.out_channels);
}

Touched touched_by(const DepthwiseCall& call) {
  const int64_t pixels = call.batch * behind(call.height, call.stride) * behind(call.width, call.stride);
  return Touched(call.dtype)
      .values(call.x, call.batch * call.height * call.width * call.channels)
      .floats(call.weight, int64_t{1} * call.kernel_height * call.kernel_width * call.channels)
      .floats(call.bias, call.channels)
      .values(call.out, pixels * call.channels);
}

Touched touched_by(const PointwiseCall& call) {
  return Touched(call.dtype)
      .values(call.x, call.pixels * call.in_channels)
      .values(call.weight, int64_t{1} * call.out_channels * call.in_channels)
      .floats(call.bias, call.out_channels)
      .values(call.out, call.pixels * call.out_channels);
}

Touched touched_by(const MeansCall& call) {
  return Touched(call.dtype)
      .values(call.x, call.batch * call.pixels * call.channels)
      .floats(call.out, call.batch * call.channels);
}

Touched touched_by(const DenseCall& call) {
  return Touched(call.dtype)
      .floats(call.x, call.rows * call.depth)
      .values(call.weight, int64_t{1} * call.columns * call.depth)
      .floats(call.bias, call.columns)
      .floats(call.out, call.rows * call.columns);
}

Touched touched_by(const AdditionCall& call) {
  return Touched(call.dtype)
      .values(call.a, call.count)
      .values(call.b, call.count)
      .values(call.out, call.count);
}

Touched touched_by(const HalveCall& call) {
  return Touched(call.dtype)
      .values(call.x, call.batch * call.height * call.width * call.channels)
      .values(call.out, call.batch * (call.height / 2) * (call.width / 2) * call.channels);
}

Touched touched_by(const AttentionCall& call) {
  const int64_t count = call.batch * call.height * call.width * call.channels;
  return Touched(call.dtype)
      .values(call.x, count)
      .values(call.gate, call.batch * call.gate_height * call.gate_width * call.channels)
      .values(call.out, count);
}

Touched touched_by(const GpuGhostCall& call) {
  Touched touched(call.dtype);
  return add_out(add_cheap(add_primary(touched, call), call), call);
}
Touched touched_by(const GhostPrimaryCall& call) {
  Touched touched(call.dtype);
  return add_out(add_primary(touched, call), call);
}
Touched touched_by(const GhostCheapCall& call) {
  Touched touched(call.dtype);
  return add_out(add_cheap(add_out(touched, call), call), call);
}
Touched touched_by(const GhostEpilogueCall& call) {
  Touched touched(call.dtype);
  return add_out(add_cheap(add_primary(touched, call), call), call);
}

}  // namespace

template <class T, class Group>
LaunchResult launch_as(const Group& group, CUstream_st* stream) {
  return std::visit([stream](const auto& call) { return touched_by(call).launch(stream); }, group);
}

template LaunchResult launch_as<float>(const ProductCall&, CUstream_st*);
template LaunchResult launch_as<Half>(const ProductCall&, CUstream_st*);
template LaunchResult launch_as<BFloat16>(const ProductCall&, CUstream_st*);
template LaunchResult launch_as<TensorFloat32>(const ProductCall&, CUstream_st*);
template LaunchResult launch_as<float>(const LayerCall&, CUstream_st*);
template LaunchResult launch_as<Half>(const LayerCall&, CUstream_st*);
template LaunchResult launch_as<BFloat16>(const LayerCall&, CUstream_st*);

}  // namespace ghostnet::cuda
