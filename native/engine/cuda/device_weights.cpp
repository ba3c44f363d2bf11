#include "engine/cuda/device_weights.h"

#include <cstring>

#include "base/half.h"

namespace ghostnet::cuda {

/**
 * Lays out the weights one after another. It visits the network twice: without a destination it counts, with
 * a destination it writes the bytes and returns their future addresses on the device.
 */
class DeviceWeights::Packer {
 public:
  Packer(Precision dtype, std::byte* staging, const std::byte* device)
      : dtype_(dtype), staging_(staging), device_(device) {}

  size_t bytes() const { return bytes_; }

  std::vector<std::vector<DeviceConvolution>> pack(const FoldedNetwork& network) {
    std::vector<std::vector<DeviceConvolution>> nodes;
    for (size_t node = 0; node < network.nodes.size(); ++node) {
      auto& packed = nodes.emplace_back();
      for (size_t index = 0; index < network.nodes[node].size(); ++index) {
        packed.push_back(
            convolution(network.graph.nodes[node].convolutions[index], network.nodes[node][index]));
      }
    }
    return nodes;
  }

 private:
  /** Adds `count` numbers, number(i) each. @return their address on the device */
  template <class Number>
  const void* put(Precision dtype, size_t count, const Number& number) {
    constexpr size_t kAlignment = 256;
    const size_t at = bytes_;
    const size_t size = static_cast<size_t>(size_of(dtype));
    bytes_ += (count * size + kAlignment - 1) / kAlignment * kAlignment;
    if (staging_ == nullptr) return nullptr;
    for (size_t i = 0; i < count; ++i) store(dtype, number(i), staging_ + at + i * size);
    return device_ + at;
  }

  static void store(Precision dtype, float value, std::byte* to) {
    const auto copy = [&](auto bits) { std::memcpy(to, &bits, sizeof bits); };
    switch (dtype) {
      case Precision::float32:
      case Precision::tf32:
        return copy(value);
      case Precision::float16:
        return copy(half_of(value));
      case Precision::bfloat16:
        return copy(bfloat16_of(value));
    }
  }

  const float* floats(const std::vector<float>& values) {
    return static_cast<const float*>(
        put(Precision::float32, values.size(), [&](size_t i) { return values[i]; }));
  }

  DeviceConvolution convolution(const Convolution& layer, const FoldedConvolution& folded) {
    const bool is_matrix = layer.kernel == KernelSize(1) && !layer.depthwise;
    const void* weight = is_matrix
                             ? put(dtype_, folded.weight.size(), [&](size_t i) { return folded.weight[i]; })
                             : taps(layer, folded.weight);
    return {weight,
            floats(folded.bias),
            static_cast<int>(layer.in),
            static_cast<int>(layer.out),
            static_cast<int>(layer.kernel.height),
            static_cast<int>(layer.kernel.width)};
  }

  // From [out][in][tap] to [tap][in][out]: the channels of a pixel are contiguous.
  const void* taps(const Convolution& layer, const std::vector<float>& weight) {
    const auto out = static_cast<size_t>(layer.out), in = static_cast<size_t>(layer.depthwise ? 1 : layer.in);
    const auto area = static_cast<size_t>(layer.kernel.taps());
    return put(Precision::float32, weight.size(), [&](size_t i) {
      const size_t channel = i % out, group = i / out % in, tap = i / out / in;
      return weight[(channel * in + group) * area + tap];
    });
  }

  Precision dtype_;
  std::byte* staging_;
  const std::byte* device_;
  size_t bytes_ = 0;
};

DeviceWeights::DeviceWeights(const std::shared_ptr<Device>& device, const FoldedNetwork& network,
                             Precision dtype)
    : architecture_(network.graph.architecture), dtype_(dtype), memory_(device, Memory::Kind::device) {
  Packer counter(dtype, nullptr, nullptr);
  counter.pack(network);
  Memory staging(device, Memory::Kind::staging);
  staging.reserve(counter.bytes());
  memory_.reserve(counter.bytes());
  std::memset(staging.data(), 0, counter.bytes());  // the gaps too
  nodes_ = Packer(dtype, staging.data(), memory_.data()).pack(network);
  try {
    device->copy(Stream::input, memory_.data(), staging.data(), counter.bytes());
    device->synchronize();
  } catch (...) {
    settle(*device);
    throw;
  }
}

}  // namespace ghostnet::cuda
