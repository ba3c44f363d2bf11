/**
 * Memory for weights. Free of LibTorch.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

namespace ghostnet::cpu {

/** Floats aligned to a cache line, zeroed, with kReadableBehind more of them behind. */
class Floats {
 public:
  Floats() = default;
  /** @throws std::bad_alloc */
  explicit Floats(int64_t count);

  float* data() { return data_.get(); }
  const float* data() const { return data_.get(); }

 private:
  friend class FloatPool;
  explicit Floats(std::shared_ptr<float> data) : data_(std::move(data)) {}

  std::shared_ptr<float> data_;
};

/**
 * Floats that are used together, next to each other in large pages where the system has them: a network's
 * weights are read once a run from end to end, and small pages would each take an entry of a table that is
 * smaller than the network. What is taken lives as long as anybody has it.
 */
class FloatPool {
 public:
  /** @throws std::bad_alloc */
  Floats take(int64_t count);

 private:
  std::shared_ptr<float> chunk_;
  size_t size_ = 0, used_ = 0;  ///< bytes
};

}  // namespace ghostnet::cpu
