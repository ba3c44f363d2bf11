#include "engine/worker_pool.h"

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

WorkerPool& WorkerPool::shared() {
  // Never destroyed, like the executor, so that no thread can outlive it.
  static auto* pool = new WorkerPool();
  return *pool;
}

void WorkerPool::run(int threads, Work work, void* context) {
  while (static_cast<int>(workers_.size()) < threads - 1) {
    const int number = static_cast<int>(workers_.size()) + 1;
    auto worker = std::make_unique<Worker>();
    worker->thread = std::thread([this, &started = *worker, number] { loop(started, number); });
    workers_.push_back(std::move(worker));
  }
  work_ = work;
  context_ = context;
  threads_ = threads;
  running_.store(static_cast<uint32_t>(threads - 1), std::memory_order_relaxed);
  for (int index = 0; index < threads - 1; ++index) {
    Worker& worker = *workers_[static_cast<size_t>(index)];
    worker.task.fetch_add(1, std::memory_order_release);
    worker.task.notify_one();
  }
  work(context, 0);
  const Spin spin(threads);
  for (uint32_t left = running_.load(std::memory_order_acquire); left != 0;
       left = running_.load(std::memory_order_acquire)) {
    spin.wait(running_, left);
  }
}

void WorkerPool::stop() {
  ending_ = true;
  for (const auto& worker : workers_) {
    worker->task.fetch_add(1, std::memory_order_release);
    worker->task.notify_one();
  }
  for (const auto& worker : workers_) worker->thread.join();
  workers_.clear();
  ending_ = false;
}

void WorkerPool::loop(Worker& worker, int number) {
  int threads = 1;
  for (uint32_t seen = 0;;) {
    Spin(threads).wait(worker.task, seen);
    seen = worker.task.load(std::memory_order_acquire);
    if (ending_) return;
    threads = threads_;
    work_(context_, number);
    if (running_.fetch_sub(1, std::memory_order_acq_rel) == 1) running_.notify_one();
  }
}

}  // namespace ghostnet
