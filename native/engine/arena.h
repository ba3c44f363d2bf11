/**
 * The working memory of runs: planned, allocated once, reused.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ghostnet {

/** One block of memory that grows when a plan needs more, and is freed with its last user. */
class Arena {
 public:
  /** The arena that all engines of the process share; only one run is active at a time. */
  static std::shared_ptr<Arena> shared();

  Arena() = default;
  ~Arena();
  Arena(const Arena&) = delete;
  Arena& operator=(const Arena&) = delete;

  /** Grows the block to at least `bytes`; growing loses its contents. @throws Error GHOSTNET_OUT_OF_MEMORY */
  std::byte* reserve(size_t bytes);

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

/**
 * Lays buffers out in one block. Buffers whose lifetimes overlap get separate memory; others may share it.
 * Offsets and sizes are in floats, aligned to a cache line.
 */
class ArenaLayout {
 public:
  /** @return the number of the buffer */
  int add(int64_t floats);
  /** Marks the buffer as used at `time`. It lives from its earliest to its latest use. */
  void use(int buffer, int time);
  /** Places all buffers. @return the size of the block */
  int64_t place();

  int64_t offset(int buffer) const { return buffers_[static_cast<size_t>(buffer)].offset; }

 private:
  struct Buffer {
    int64_t size;
    int first, last;
    int64_t offset;
  };
  std::vector<Buffer> buffers_;
};

}  // namespace ghostnet
