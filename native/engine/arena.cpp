#include "engine/arena.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <numeric>
#include <string>

#ifdef __linux__
#include <sys/mman.h>
#endif

#include "base/error.h"
#include "kernels/cpu/packing.h"

namespace ghostnet {

std::shared_ptr<Arena> Arena::shared() {
  static std::mutex mutex;
  static std::weak_ptr<Arena> current;
  const std::lock_guard lock(mutex);
  std::shared_ptr<Arena> arena = current.lock();
  if (arena == nullptr) {
    arena = std::make_shared<Arena>();
    current = arena;
  }
  return arena;
}

Arena::~Arena() { std::free(data_); }

std::byte* Arena::reserve(size_t bytes) {
  if (bytes <= size_) return data_;
  // Whole large pages, if the system has them: activations are read far apart, and each page takes an entry
  // in the small TLB.
  constexpr size_t kLargePage = size_t{2} << 20;
  const size_t rounded = (bytes + kLargePage - 1) / kLargePage * kLargePage;
  std::free(data_);
  size_ = 0;
  data_ = rounded < bytes ? nullptr : static_cast<std::byte*>(std::aligned_alloc(kLargePage, rounded));
  if (data_ == nullptr) {
    throw Error(ErrorCode::GHOSTNET_OUT_OF_MEMORY, "Not enough memory for the activations of a run",
                "a request for " + std::to_string(bytes) + " bytes");
  }
#ifdef __linux__
  madvise(data_, rounded, MADV_HUGEPAGE);
#endif
  size_ = rounded;
  return data_;
}

int ArenaLayout::add(int64_t floats) {
  constexpr int64_t kCacheLine = 16;
  const int64_t size = cpu::round_up(floats + cpu::kReadableBehind, kCacheLine);
  buffers_.push_back({size, std::numeric_limits<int>::max(), std::numeric_limits<int>::min(), 0});
  return static_cast<int>(buffers_.size()) - 1;
}

void ArenaLayout::use(int buffer, int time) {
  Buffer& used = buffers_[static_cast<size_t>(buffer)];
  used.first = std::min(used.first, time);
  used.last = std::max(used.last, time);
}

int64_t ArenaLayout::place() {
  // Largest first, each at the lowest offset that is free during its whole lifetime.
  std::vector<size_t> order(buffers_.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return buffers_[a].size > buffers_[b].size; });
  std::vector<size_t> placed;
  int64_t total = 0;
  for (const size_t index : order) {
    Buffer& buffer = buffers_[index];
    int64_t offset = 0;
    for (const size_t other : placed) {  // by offset
      const Buffer& there = buffers_[other];
      if (there.last < buffer.first || there.first > buffer.last) continue;
      if (offset + buffer.size <= there.offset) break;
      offset = std::max(offset, there.offset + there.size);
    }
    buffer.offset = offset;
    total = std::max(total, offset + buffer.size);
    placed.insert(
        std::upper_bound(placed.begin(), placed.end(), index,
                         [&](size_t a, size_t b) { return buffers_[a].offset < buffers_[b].offset; }),
        index);
  }
  return total;
}

}  // namespace ghostnet
