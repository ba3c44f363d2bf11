#include "engine/cuda/device_weights.h"

#include <cstring>

#include "ops/half.h"

namespace ghostnet::cuda {

/**
 * Lays the weights out one behind another. Goes over the network twice: without a destination it counts, with
 * one it writes the bytes and says where on the device they will be.
 */
class DeviceWeights::Packer {
 public:
  Packer(NumberType dtype, std::byte* staging, const std::byte* device)
      : dtype_(dtype), staging_(staging), device_(device) {}

  size_t bytes() const { return bytes_; }

  void pack(const FoldedNetwork& from, DeviceWeights& to) {
    to.blocks.clear();
    // The channels of a pixel lie together.
    to.stem = taps(from.stem);
    for (const FoldedNetwork::Bottleneck& block : from.blocks) to.blocks.push_back(bottleneck(block));
    to.last = matrix(from.last);
    to.head = matrix(from.head);
    to.classifier = matrix(from.classifier);
  }

 private:
  using Convolution = FoldedNetwork::Convolution;

  /** Room for `count` numbers, filled with number(i). @return where it is on the device */
  template <class Number>
  const void* put(NumberType dtype, size_t count, const Number& number) {
    constexpr size_t kAlignment = 256;
    const size_t at = bytes_;
    const size_t size = static_cast<size_t>(size_of(dtype));
    bytes_ += (count * size + kAlignment - 1) / kAlignment * kAlignment;
    if (staging_ == nullptr) return nullptr;
    for (size_t i = 0; i < count; ++i) {
      const float value = number(i);
      std::byte* const to = staging_ + at + i * size;
      if (memory_of(dtype) == NumberType::float32) {
        std::memcpy(to, &value, sizeof value);
      } else {
        const uint16_t bits = dtype == NumberType::float16 ? half_of(value) : bfloat16_of(value);
        std::memcpy(to, &bits, sizeof bits);
      }
    }
    return device_ + at;
  }

  const float* floats(const std::vector<float>& values) {
    return static_cast<const float*>(
        put(NumberType::float32, values.size(), [&](size_t i) { return values[i]; }));
  }

  DeviceMatrix matrix(const Convolution& layer) {
    const void* weight = put(dtype_, layer.weight.size(), [&](size_t i) { return layer.weight[i]; });
    return {weight, floats(layer.bias), static_cast<int>(layer.in), static_cast<int>(layer.out)};
  }

  // From [out][in][tap] to [tap][in][out].
  DeviceTaps taps(const Convolution& layer) {
    const auto out = static_cast<size_t>(layer.out), in = static_cast<size_t>(layer.in);
    const auto area = static_cast<size_t>(layer.size * layer.size);
    const void* weight = put(NumberType::float32, layer.weight.size(), [&](size_t i) {
      const size_t channel = i % out, group = i / out % in, tap = i / out / in;
      return layer.weight[(channel * in + group) * area + tap];
    });
    return {static_cast<const float*>(weight), floats(layer.bias), static_cast<int>(layer.out),
            static_cast<int>(layer.size)};
  }

  DeviceGhostModule ghost_module(const FoldedNetwork::GhostModule& module) {
    const auto ratio = static_cast<int>(module.cheap.out / module.primary.out) + 1;
    return {matrix(module.primary), taps(module.cheap), ratio, static_cast<int>(module.out), module.relu};
  }

  DeviceBottleneck bottleneck(const FoldedNetwork::Bottleneck& block) {
    DeviceBottleneck packed = {};
    packed.stride = static_cast<int>(block.stride);
    packed.ghost1 = ghost_module(block.ghost1);
    packed.ghost2 = ghost_module(block.ghost2);
    if (block.strided) packed.strided = taps(*block.strided);
    if (block.squeeze_excite) {
      packed.squeeze_excite = {matrix(block.squeeze_excite->reduce), matrix(block.squeeze_excite->expand)};
    }
    if (block.shortcut) packed.shortcut = {taps(block.shortcut->spatial), matrix(block.shortcut->pointwise)};
    return packed;
  }

  NumberType dtype_;
  std::byte* staging_;
  const std::byte* device_;
  size_t bytes_ = 0;
};

DeviceWeights::DeviceWeights(const std::shared_ptr<Device>& device, const FoldedNetwork& network,
                             NumberType dtype)
    : dtype_(dtype), memory_(device, Memory::Kind::device) {
  Packer counter(dtype, nullptr, nullptr);
  counter.pack(network, *this);
  Memory staging(device, Memory::Kind::staging);
  staging.reserve(counter.bytes());
  memory_.reserve(counter.bytes());
  std::memset(staging.data(), 0, counter.bytes());  // the gaps too
  Packer(dtype, staging.data(), memory_.data()).pack(network, *this);
  try {
    device->copy(Stream::input, memory_.data(), staging.data(), counter.bytes());
    device->synchronize();
  } catch (...) {
    settle(*device);
    throw;
  }
}

}  // namespace ghostnet::cuda
