#include "engine/team.h"

#include "engine/spin.h"

namespace ghostnet {

namespace {

constexpr uint32_t kOpen = 1U << 31U;

}  // namespace

void Team::form(int limit) {
  others_.clear();
  limit_ = limit;
}

void Team::run(Work work, void* context) {
  begin(work, context, static_cast<uint32_t>(others_.size()));
  work(context, 0);
  const Spin spin(size());
  for (uint32_t left = running_.load(std::memory_order_acquire); left != 0;
       left = running_.load(std::memory_order_acquire)) {
    spin.wait(running_, left);
  }
}

void Team::run_open(Work work, void* context) {
  if (limit() == size()) {
    run(work, context);
    return;
  }
  admitted_ = 0;
  begin(work, context, kOpen | static_cast<uint32_t>(size()));
  if (on_open_) on_open_();
  join(0);
  const Spin spin(size());
  // Nobody is admitted any more once the last one has finished.
  for (uint32_t left = running_.load(std::memory_order_acquire); left != kOpen;
       left = running_.load(std::memory_order_acquire)) {
    spin.wait(running_, left);
  }
}

void Team::begin(Work work, void* context, uint32_t running) {
  work_ = work;
  context_ = context;
  running_.store(running, std::memory_order_release);
  int number = 0;
  for (Member* member : others_) start(*member, ++number);
}

void Team::start(Member& member, int number) {
  member.team = this;
  member.number = number;
  member.task.fetch_add(1, std::memory_order_release);
  member.task.notify_one();
}

bool Team::admit(Member& member) {
  uint32_t running = running_.load(std::memory_order_acquire);
  do {
    if (running <= kOpen || size() + admitted_ >= limit()) return false;
  } while (!running_.compare_exchange_weak(running, running + 1, std::memory_order_acq_rel,
                                           std::memory_order_acquire));
  start(member, size() + admitted_++);
  return true;
}

void Team::join(int number) {
  work_(context_, number);
  const uint32_t before = running_.fetch_sub(1, std::memory_order_acq_rel);
  if ((before & ~kOpen) == 1) running_.notify_one();
}

}  // namespace ghostnet
