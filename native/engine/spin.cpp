#include "engine/spin.h"

#include "engine/threads.h"

namespace ghostnet {

namespace {

void relax() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

// A pause takes 10 to 50 nanoseconds on current processors.
constexpr int kSpinRounds = 2000;

}  // namespace

Spin::Spin(int threads) {
  static const int processors = default_threads();
  rounds_ = threads <= processors ? kSpinRounds : 0;
}

void Spin::wait(const std::atomic<uint32_t>& value, uint32_t seen) const {
  for (int round = 0; round < rounds_; ++round) {
    if (value.load(std::memory_order_acquire) != seen) return;
    relax();
  }
  while (value.load(std::memory_order_acquire) == seen) value.wait(seen, std::memory_order_acquire);
}

void Barrier::wait(int threads, const Spin& spin) {
  if (threads == 1) return;
  const uint32_t round = round_.load(std::memory_order_relaxed);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) == threads - 1) {
    arrived_.store(0, std::memory_order_relaxed);
    round_.store(round + 1, std::memory_order_release);
    round_.notify_all();
  } else {
    spin.wait(round_, round);
  }
}

}  // namespace ghostnet
