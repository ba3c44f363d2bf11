#include "ops/cpu/floats.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "ops/cpu/kernels.h"

namespace ghostnet::cpu {

namespace {

constexpr size_t kCacheLine = 64;
constexpr size_t kLargePage = size_t{2} << 20;
// What is never touched of a chunk takes no memory.
constexpr size_t kChunk = 8 * kLargePage;

size_t round_up(size_t bytes, size_t multiple) { return (bytes + multiple - 1) / multiple * multiple; }

size_t bytes_of(int64_t count) {
  return round_up(static_cast<size_t>(count + kReadableBehind) * sizeof(float), kCacheLine);
}

std::shared_ptr<float> allocate(size_t alignment, size_t bytes) {
  auto* const memory = static_cast<float*>(std::aligned_alloc(alignment, bytes));
  if (memory == nullptr) throw std::bad_alloc();
  return {memory, [](float* data) { std::free(data); }};
}

}  // namespace

Floats::Floats(int64_t count) : data_(allocate(kCacheLine, bytes_of(count))) {
  std::memset(data_.get(), 0, bytes_of(count));
}

Floats FloatPool::take(int64_t count) {
  const size_t bytes = bytes_of(count);
  if (bytes > size_ - used_) {
    size_ = round_up(std::max(bytes, kChunk), kLargePage);
    used_ = 0;
    chunk_ = allocate(kLargePage, size_);
#ifdef __linux__
    madvise(chunk_.get(), size_, MADV_HUGEPAGE);
#endif
  }
  float* const data = chunk_.get() + used_ / sizeof(float);
  used_ += bytes;
  std::memset(data, 0, bytes);
  return Floats(std::shared_ptr<float>(chunk_, data));
}

}  // namespace ghostnet::cpu
