#pragma once

#include <cstring>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/array.h"

namespace ghostnet {

/** A fast digest of names, shapes and contents: equal arrays have equal digests, different arrays rarely. */
inline uint64_t digest_of(const std::map<std::string, ArrayView>& arrays) {
  uint64_t digest = 0xcbf29ce484222325;
  const auto add = [&](const void* data, size_t bytes) {
    const auto* next = static_cast<const std::byte*>(data);
    for (; bytes > 0;) {
      uint64_t word = 0;
      const size_t taken = std::min(bytes, sizeof word);
      std::memcpy(&word, next, taken);
      digest = (digest ^ word) * 0x9e3779b97f4a7c15;
      digest ^= digest >> 32;
      next += taken;
      bytes -= taken;
    }
  };
  for (const auto& [name, array] : arrays) {
    add(name.data(), name.size());
    add(array.shape.data(), array.shape.size() * sizeof(int64_t));
    add(array.data, byte_count(array.dtype, array.shape));
  }
  return digest;
}

/**
 * Weights that exist once in a process, however many environments and models load them, and are freed with
 * their last user.
 */
template <typename Weights>
class WeightCache {
 public:
  /**
   * @param matches whether weights with the same digest are in fact equal
   * @param make creates the weights if none match
   */
  template <typename Matches, typename Make>
  std::shared_ptr<Weights> find_or_make(uint64_t digest, const Matches& matches, const Make& make) {
    const std::lock_guard lock(mutex_);
    std::erase_if(entries_, [](const Entry& entry) { return entry.weights.expired(); });
    for (const Entry& entry : entries_) {
      if (entry.digest != digest) continue;
      auto weights = entry.weights.lock();
      if (weights && matches(*weights)) return weights;
    }
    std::shared_ptr<Weights> weights = make();
    entries_.push_back({digest, weights});
    return weights;
  }

 private:
  struct Entry {
    uint64_t digest;
    std::weak_ptr<Weights> weights;
  };

  std::mutex mutex_;
  std::vector<Entry> entries_;
};

}  // namespace ghostnet
