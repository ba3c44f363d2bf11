/** The memory that the kernels under test get. */
#pragma once

#include <cmath>
#include <cstring>
#include <random>
#include <vector>

#include "ops/cuda/launch_result.h"
#include "ops/half.h"

namespace ghostnet::cuda_on_cpu {

/** An array of a dtype at a chosen alignment, with nothing that a kernel may touch around it. */
class Array {
 public:
  Array(cuda::NumberType dtype, size_t elements, int misaligned)
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
    const char* at = data_ + index * cuda::size_of(dtype_);
    if (dtype_ == cuda::NumberType::float32) {
      float value;
      std::memcpy(&value, at, sizeof value);
      return value;
    }
    uint16_t bits;
    std::memcpy(&bits, at, sizeof bits);
    return dtype_ == cuda::NumberType::float16 ? float_of_half(bits) : float_of_bfloat16(bits);
  }

 private:
  void set(size_t index, float value) {
    char* at = data_ + index * cuda::size_of(dtype_);
    if (dtype_ == cuda::NumberType::float32) {
      std::memcpy(at, &value, sizeof value);
    } else {
      const uint16_t bits = dtype_ == cuda::NumberType::float16 ? half_of(value) : bfloat16_of(value);
      std::memcpy(at, &bits, sizeof bits);
    }
  }

  cuda::NumberType dtype_;
  size_t elements_;
  std::vector<char> storage_;
  char* data_;
};

}  // namespace ghostnet::cuda_on_cpu
