/**
 * A number of bytes that threads share: a thread that needs more than is free waits its turn.
 */
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <utility>

namespace ghostnet {

class MemoryBudget {
 public:
  /** The bytes of one holder, given back at its end. */
  class Share {
   public:
    Share() = default;
    Share(Share&& other) noexcept : budget_(other.budget_), bytes_(other.bytes_) { other.budget_ = nullptr; }
    Share& operator=(Share&& other) noexcept {
      std::swap(budget_, other.budget_);
      std::swap(bytes_, other.bytes_);
      return *this;
    }
    ~Share() {
      if (budget_ != nullptr) budget_->give_back(bytes_);
    }

    /** False if the wait was cancelled. */
    explicit operator bool() const { return budget_ != nullptr; }

   private:
    friend class MemoryBudget;
    Share(MemoryBudget* budget, int64_t bytes) : budget_(budget), bytes_(bytes) {}
    MemoryBudget* budget_ = nullptr;
    int64_t bytes_ = 0;
  };

  /**
   * Waits until all holders together have at most `most` bytes. Threads are served in the order in which they
   * asked, so that a large request is not passed over for ever by small ones.
   *
   * @param bytes at most `most`; a thread must not hold a share already, for it might wait for itself
   * @param most the limit of this request: others may have another one
   * @param cancelled ends the wait when another thread sets it, within 10 ms; may be null
   */
  Share take(int64_t bytes, int64_t most, const std::atomic<bool>* cancelled);

  /** The bytes that holders have now. */
  int64_t held() const;
  /** The requests that wait now. */
  size_t waiting() const;

 private:
  void give_back(int64_t bytes);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int64_t held_ = 0;
  std::list<int64_t> waiting_;  ///< the requests, in the order in which they were made
};

}  // namespace ghostnet
