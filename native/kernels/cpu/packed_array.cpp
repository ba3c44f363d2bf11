#include "kernels/cpu/packed_array.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

namespace ghostnet::cpu {

namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kLargePage = size_t{2} << 20;
// The untouched part of a chunk uses no memory.
constexpr size_t kChunk = 8 * kLargePage;

size_t rounded_up(size_t bytes, size_t multiple) { return (bytes + multiple - 1) / multiple * multiple; }

std::shared_ptr<std::byte> allocate(size_t alignment, size_t bytes) {
  auto* const memory = static_cast<std::byte*>(std::aligned_alloc(alignment, bytes));
  if (memory == nullptr) throw std::bad_alloc();
  return {memory, [](std::byte* data) { std::free(data); }};
}

}  // namespace

std::shared_ptr<void> allocate_packed(size_t bytes) {
  const size_t size = rounded_up(bytes, kCacheLine);
  const std::shared_ptr<std::byte> memory = allocate(kCacheLine, size);
  std::memset(memory.get(), 0, size);
  return memory;
}

std::shared_ptr<void> ArrayPool::take_bytes(size_t bytes) {
  const size_t size = rounded_up(bytes, kCacheLine);
  if (size > size_ - used_) {
    size_ = rounded_up(std::max(size, kChunk), kLargePage);
    used_ = 0;
    chunk_ = allocate(kLargePage, size_);
#ifdef __linux__
    madvise(chunk_.get(), size_, MADV_HUGEPAGE);
#endif
  }
  std::byte* const data = chunk_.get() + used_;
  used_ += size;
  std::memset(data, 0, size);
  return {chunk_, data};
}

}  // namespace ghostnet::cpu
