#include "queue.h"

#include <algorithm>
#include <chrono>

namespace ghostnet::cuda_model {

void Moment::come() {
  const std::lock_guard lock(mutex_);
  has_come_ = true;
  came_.notify_all();
}

bool Moment::wait() {
  std::unique_lock lock(mutex_);
  return came_.wait_for(lock, std::chrono::minutes(1), [&] { return has_come_; });
}

Queue::Queue(int lag, unsigned seed) : lag_(lag), random_(seed), thread_([this] { loop(); }) {}

Queue::~Queue() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
    changed_.notify_all();
  }
  thread_.join();
}

void Queue::give(Work work) {
  const std::lock_guard lock(mutex_);
  waiting_.push_back(std::move(work));
  changed_.notify_all();
}

void Queue::halt() {
  std::unique_lock lock(mutex_);
  is_halted_ = true;
  changed_.wait(lock, [&] { return !works_; });
}

bool Queue::holds(const std::function<bool(const Work&)>& is_meant) {
  const std::lock_guard lock(mutex_);
  return std::ranges::any_of(waiting_, is_meant);
}

void Queue::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return ends_ || !waiting_.empty(); });
    if (waiting_.empty()) return;
    const Work& work = waiting_.front();  // does not move when others are added
    if (lag_ > 0 && random_() % 4 == 0) {
      lock.unlock();
      std::this_thread::sleep_for(std::chrono::microseconds(random_() % static_cast<unsigned>(lag_)));
      lock.lock();
    }
    works_ = !work.is_mark && !is_halted_;
    const bool is_skipped = !work.is_mark && is_halted_;
    lock.unlock();
    if (!is_skipped) work.run();
    lock.lock();
    works_ = false;
    waiting_.pop_front();
    changed_.notify_all();
  }
}

}  // namespace ghostnet::cuda_model
