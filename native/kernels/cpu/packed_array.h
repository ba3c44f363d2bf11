/**
 * Memory for packed weights.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "kernels/cpu/kernels.h"

namespace ghostnet::cpu {

/** Zeroed numbers, aligned to a cache line and followed by kReadableBehind more. */
template <typename Number>
class PackedArray {
 public:
  PackedArray() = default;
  explicit PackedArray(std::shared_ptr<void> memory) : memory_(std::move(memory)) {}

  Number* data() { return static_cast<Number*>(memory_.get()); }
  const Number* data() const { return static_cast<const Number*>(memory_.get()); }

 private:
  std::shared_ptr<void> memory_;
};

/**
 * Adjacent arrays that are used together, in large pages if the system has them: a run reads the weights of a
 * network once from end to end, and small pages would need more TLB entries than there are. An array lives as
 * long as it has an owner.
 */
class ArrayPool {
 public:
  /** @param chunk bytes that are allocated at a time, at least; 0 for as many as are taken */
  explicit ArrayPool(size_t chunk = size_t{16} << 20) : chunk_size_(chunk) {}

  /** @throws std::bad_alloc */
  template <typename Number>
  PackedArray<Number> take(int64_t count) {
    return PackedArray<Number>(take_bytes(static_cast<size_t>(count + kReadableBehind) * sizeof(Number)));
  }

 private:
  std::shared_ptr<void> take_bytes(size_t bytes);

  size_t chunk_size_;
  std::shared_ptr<std::byte> chunk_;
  size_t size_ = 0, used_ = 0;  ///< bytes
};

}  // namespace ghostnet::cpu
