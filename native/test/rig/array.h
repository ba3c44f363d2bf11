/** The memory of the kernels under test. */
#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/cuda/launch_result.h"
#include "numbers.h"

namespace ghostnet::cuda_on_cpu {

/** The bits of the number of a dtype that is nearest to a value. */
inline uint32_t bits_of(Precision dtype, float value) {
  switch (dtype) {
    case Precision::float32:
    case Precision::tf32:
      return std::bit_cast<uint32_t>(value);
    case Precision::float16:
      return half_of(value);
    case Precision::bfloat16:
      return bfloat16_of(value);
  }
  return 0;
}

/** The number that the bits are in a dtype. */
inline float number_of(Precision dtype, uint32_t bits) {
  switch (dtype) {
    case Precision::float32:
    case Precision::tf32:
      return std::bit_cast<float>(bits);
    case Precision::float16:
      return float_of_half(static_cast<uint16_t>(bits));
    case Precision::bfloat16:
      return float_of_bfloat16(static_cast<uint16_t>(bits));
  }
  return 0;
}

/** An array of a dtype at a chosen alignment, surrounded by memory that no kernel may access. */
class Array {
 public:
  Array(Precision dtype, size_t elements, int misaligned)
      : dtype_(cuda::memory_of(dtype)), elements_(elements) {
    constexpr size_t guard = 4096;
    storage_.resize(elements * cuda::size_of(dtype) + 2 * guard + 64,
                    static_cast<char>(0xff));  // NaN in every dtype
    const auto start = reinterpret_cast<uintptr_t>(storage_.data()) + guard;
    data_ = storage_.data() + guard + (16 - start % 16) % 16 + misaligned * cuda::size_of(dtype);
  }

  void fill(std::mt19937& random, double scale) {
    std::uniform_real_distribution<double> values(-scale, scale);
    for (size_t i = 0; i < elements_; ++i) set(i, static_cast<float>(values(random)));
  }

  void* data() { return data_; }
  float* floats() { return reinterpret_cast<float*>(data_); }
  size_t bytes() const { return elements_ * cuda::size_of(dtype_); }
  size_t elements() const { return elements_; }

  double get(size_t index) const {
    uint32_t bits = 0;
    std::memcpy(&bits, data_ + index * cuda::size_of(dtype_), cuda::size_of(dtype_));
    return number_of(dtype_, bits);
  }

 private:
  void set(size_t index, float value) {
    const uint32_t bits = bits_of(dtype_, value);
    std::memcpy(data_ + index * cuda::size_of(dtype_), &bits, cuda::size_of(dtype_));
  }

  Precision dtype_;
  size_t elements_;
  std::vector<char> storage_;
  char* data_;
};

}  // namespace ghostnet::cuda_on_cpu
