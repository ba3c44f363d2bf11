#include "engine/executor.h"

#include <algorithm>
#include <cstdlib>
#include <map>
#include <utility>

#include "engine/worker_pool.h"

namespace ghostnet {

Executor& Executor::cpu() {
  // Never destroyed, so that the thread cannot outlive it. The binding stops the executor when JavaScript's
  // process exits, before any destructor runs. The exit handler covers a process that ends in another way. It
  // runs after the destructors of everything that LibTorch has set up since.
  static Executor* executor = [] {
    auto* made = new Executor();
    std::atexit(stop_all);
    return made;
  }();
  return *executor;
}

namespace {

constexpr size_t kExecutorsOfGpu = 2;

struct OfGpu {
  std::vector<Executor*> executors;
  size_t next = 0;
};

std::mutex gpus_mutex;

// Never destroyed, like the CPU's executor.
std::map<int, OfGpu>& gpus() {
  static auto* all = new std::map<int, OfGpu>();
  return *all;
}

}  // namespace

Executor& Executor::gpu(int index) {
  cpu();  // its exit handler stops all executors
  const std::lock_guard lock(gpus_mutex);
  OfGpu& gpu = gpus()[index];
  while (gpu.executors.size() < kExecutorsOfGpu) gpu.executors.push_back(new Executor());
  gpu.next = (gpu.next + 1) % kExecutorsOfGpu;
  return *gpu.executors[gpu.next];
}

std::vector<Executor*> Executor::all() {
  std::vector<Executor*> executors = {&cpu()};
  const std::lock_guard lock(gpus_mutex);
  for (const auto& [index, gpu] : gpus()) {
    executors.insert(executors.end(), gpu.executors.begin(), gpu.executors.end());
  }
  return executors;
}

void Executor::stop_all() {
  for (Executor* executor : all()) executor->stop();
  WorkerPool::shared().stop();
}

Executor::Ticket Executor::submit(Job job) {
  const std::lock_guard lock(mutex_);
  const Ticket ticket = ++last_ticket_;
  if (stopped_) return ticket;
  if (!thread_.joinable()) thread_ = std::thread([this] { loop(); });
  waiting_.push_back({ticket, std::move(job)});
  changed_.notify_all();
  return ticket;
}

bool Executor::cancel(Ticket ticket) {
  Entry dropped;  // destroyed after the lock is released, because a job may hold large objects
  const std::lock_guard lock(mutex_);
  const auto found =
      std::find_if(waiting_.begin(), waiting_.end(), [&](const Entry& e) { return e.ticket == ticket; });
  if (found == waiting_.end()) return false;
  dropped = std::move(*found);
  waiting_.erase(found);
  return true;
}

void Executor::drop(Owner owner) {
  std::deque<Entry> dropped;
  std::unique_lock lock(mutex_);
  std::deque<Entry> kept;
  for (Entry& entry : waiting_) (entry.job.owner == owner ? dropped : kept).push_back(std::move(entry));
  waiting_ = std::move(kept);
  changed_.wait(lock, [&] { return running_ != owner; });
}

void Executor::stop() {
  std::deque<Entry> dropped;
  std::thread ended;
  {
    const std::lock_guard lock(mutex_);
    stopped_ = true;
    dropped.swap(waiting_);
    ended.swap(thread_);
    changed_.notify_all();
  }
  if (ended.joinable()) ended.join();
}

void Executor::loop() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return stopped_ || !waiting_.empty(); });
    if (stopped_) return;
    Job job = std::move(waiting_.front().job);
    waiting_.pop_front();
    running_ = job.owner;
    lock.unlock();

    std::exception_ptr failure;
    try {
      job.work();
    } catch (...) {
      failure = std::current_exception();
    }
    job.on_finished(failure);
    job = {};  // releases the job's objects before its owner learns that no job of it is running

    lock.lock();
    running_ = nullptr;
    changed_.notify_all();
  }
}

}  // namespace ghostnet
