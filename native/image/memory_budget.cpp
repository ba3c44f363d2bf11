#include "image/memory_budget.h"

#include <chrono>

namespace ghostnet {

MemoryBudget::Share MemoryBudget::take(int64_t bytes, int64_t most, const std::atomic<bool>* cancelled) {
  std::unique_lock lock(mutex_);
  const auto place = waiting_.insert(waiting_.end(), bytes);
  const auto is_its_turn = [&] { return waiting_.begin() == place && held_ + bytes <= most; };
  const auto is_cancelled = [&] {
    return cancelled != nullptr && cancelled->load(std::memory_order_relaxed);
  };
  while (!is_its_turn() && !is_cancelled()) {
    // Who cancels knows nothing of this wait, so it ends now and then to look. The system's clock, because a
    // wait by the steady one needs a newer glibc than the floor in package.json.
    changed_.wait_until(lock, std::chrono::system_clock::now() + std::chrono::milliseconds(10));
  }
  const bool granted = is_its_turn();
  if (granted) held_ += bytes;
  waiting_.erase(place);
  lock.unlock();
  changed_.notify_all();  // the next in the line may have its turn
  return granted ? Share(this, bytes) : Share();
}

int64_t MemoryBudget::held() const {
  const std::lock_guard lock(mutex_);
  return held_;
}

size_t MemoryBudget::waiting() const {
  const std::lock_guard lock(mutex_);
  return waiting_.size();
}

void MemoryBudget::give_back(int64_t bytes) {
  {
    const std::lock_guard lock(mutex_);
    held_ -= bytes;
  }
  changed_.notify_all();
}

}  // namespace ghostnet
