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
  /** @throws std::bad_alloc */
  template <typename Number>
  PackedArray<Number> take(int64_t count) {
    return PackedArray<Number>(take_bytes(static_cast<size_t>(count + kReadableBehind) * sizeof(Number)));
  }

 private:
  std::shared_ptr<void> take_bytes(size_t bytes);

  std::shared_ptr<std::byte> chunk_;
  size_t size_ = 0, used_ = 0;  ///< bytes
};

/** A separate array. @throws std::bad_alloc */
std::shared_ptr<void> allocate_packed(size_t bytes);
template <typename Number>
PackedArray<Number> make_packed_array(int64_t count) {
  return PackedArray<Number>(allocate_packed(static_cast<size_t>(count + kReadableBehind) * sizeof(Number)));
}

}  // namespace ghostnet::cpu
