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

size_t rounded_up(size_t bytes, size_t multiple) { return (bytes + multiple - 1) / multiple * multiple; }

}  // namespace

std::shared_ptr<void> ArrayPool::take_bytes(size_t bytes) {
  const size_t size = rounded_up(bytes, kCacheLine);
  if (size > size_ - used_) {
    const size_t alignment = chunk_size_ < kLargePage ? kCacheLine : kLargePage;
    // The part of a chunk that is never touched takes no memory.
    size_ = rounded_up(std::max(size, chunk_size_), alignment);
    used_ = 0;
    chunk_ = {static_cast<std::byte*>(std::aligned_alloc(alignment, size_)), std::free};
    if (chunk_ == nullptr) throw std::bad_alloc();
#ifdef __linux__
    if (alignment == kLargePage) madvise(chunk_.get(), size_, MADV_HUGEPAGE);
#endif
  }
  std::byte* const data = chunk_.get() + used_;
  used_ += size;
  std::memset(data, 0, size);
  return {chunk_, data};
}

}  // namespace ghostnet::cpu
