#include "engine/team.h"

#include "engine/spin.h"

namespace ghostnet {

void Team::run(Work work, void* context) {
  work_ = work;
  context_ = context;
  running_.store(static_cast<uint32_t>(others_.size()), std::memory_order_relaxed);
  int number = 0;
  for (Member* member : others_) {
    member->team = this;
    member->number = ++number;
    member->task.fetch_add(1, std::memory_order_release);
    member->task.notify_one();
  }
  work(context, 0);
  const Spin spin(size());
  for (uint32_t left = running_.load(std::memory_order_acquire); left != 0;
       left = running_.load(std::memory_order_acquire)) {
    spin.wait(running_, left);
  }
}

void Team::join(int number) {
  work_(context_, number);
  if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_one();
}

}  // namespace ghostnet
