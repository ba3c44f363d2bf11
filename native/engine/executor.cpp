#include "engine/executor.h"

#include <algorithm>
#include <cstdlib>
#include <iterator>
#include <map>
#include <system_error>
#include <utility>

#include "base/error.h"
#include "engine/spin.h"
#include "engine/threads.h"

namespace ghostnet {

Executor& Executor::cpu() {
  // Never destroyed, so that no thread can outlive it. The binding stops the executor when JavaScript's
  // process exits, before any destructor runs. The exit handler covers a process that ends in another way. It
  // runs after the destructors of everything that LibTorch has set up since.
  static Executor* executor = [] {
    auto* made = new Executor(default_threads());
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

/** Null before the first training. */
std::atomic<Executor*> training_executor{nullptr};

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
  while (gpu.executors.size() < kExecutorsOfGpu) gpu.executors.push_back(new Executor(1));
  gpu.next = (gpu.next + 1) % kExecutorsOfGpu;
  return *gpu.executors[gpu.next];
}

Executor& Executor::training() {
  cpu();  // its exit handler stops all executors
  static auto* executor = [] {
    auto* made = new Executor(default_threads(), Priority::low);
    training_executor = made;
    return made;
  }();
  return *executor;
}

std::vector<Executor*> Executor::all() {
  std::vector<Executor*> executors = {&cpu()};
  if (Executor* training = training_executor) executors.push_back(training);
  const std::lock_guard lock(gpus_mutex);
  for (const auto& [index, gpu] : gpus()) {
    executors.insert(executors.end(), gpu.executors.begin(), gpu.executors.end());
  }
  return executors;
}

void Executor::stop_all() {
  for (Executor* executor : all()) executor->stop();
}

Executor::Ticket Executor::submit(Job job) {
  const std::lock_guard lock(mutex_);
  const Ticket ticket = ++last_ticket_;
  if (stopped_) return ticket;
  const int wanted = job.aside ? 1 : job.threads;
  add_workers(wanted, std::max(threads_, wanted));
  (job.aside ? aside_ : in_order_).push_back({ticket, std::move(job)});
  dispatch();
  return ticket;
}

/** Adds workers until `wanted` of them are idle or there are `most`, or the system lets no more start. */
void Executor::add_workers(int wanted, int most) {
  while (static_cast<int>(idle_.size()) < wanted && static_cast<int>(workers_.size()) < most) {
    try {
      add_worker();
    } catch (const std::exception&) {
      if (workers_.empty()) throw;
      return;
    }
  }
}

/** @throws Error GHOSTNET_OUT_OF_THREADS @throws std::bad_alloc */
void Executor::add_worker() {
  // All the memory that dispatch() will need comes first.
  workers_.reserve(workers_.size() + 1);
  idle_.reserve(workers_.size() + 1);
  auto worker = std::make_unique<Worker>([this] {
    const std::lock_guard lock(mutex_);
    if (!stopped_) dispatch();
  });
  worker->reserved.reserve(kMaxThreads);
  worker->team.reserve(kMaxThreads);
  try {
    worker->thread = std::thread([this, &started = *worker] { loop(started); });
  } catch (const std::system_error& error) {
    throw Error(ErrorCode::GHOSTNET_OUT_OF_THREADS, "The system starts no thread for computations",
                error.code().message());
  }
  idle_.insert(idle_.begin(), worker.get());
  workers_.push_back(std::move(worker));
}

/** Gives jobs to idle workers. The caller holds the lock. */
void Executor::dispatch() noexcept {
  while (!idle_.empty()) {
    if (ordered_ == nullptr && !in_order_.empty()) {
      // One thread runs the job, others have jobs aside to do, and the rest are its team.
      const auto needed = std::min<int64_t>(static_cast<int64_t>(aside_.size()), threads_ - aside_running_);
      const auto free = static_cast<int64_t>(idle_.size()) - 1 - needed;
      ordered_ = idle_.back();
      start(in_order_, static_cast<size_t>(std::clamp<int64_t>(free, 0, in_order_.front().job.threads - 1)));
    } else if (!aside_.empty() && aside_running_ < threads_) {
      ++aside_running_;
      start(aside_, 0);
    } else if (!admit_to_ordered()) {
      return;
    }
  }
}

/** Gives an idle worker a share of the open run of the job in order. @return whether there was one */
bool Executor::admit_to_ordered() {
  if (ordered_ == nullptr || !ordered_->team.admit(*idle_.back())) return false;
  ordered_->reserved.push_back(idle_.back());
  idle_.pop_back();
  return true;
}

/** Gives the first waiting job to an idle worker, with a team of other idle ones. */
void Executor::start(std::list<Entry>& waiting, size_t team_size) {
  Worker& worker = *idle_.back();
  idle_.pop_back();
  worker.entry = std::move(waiting.front());
  waiting.pop_front();
  worker.team.form(worker.entry.job.threads);
  for (; worker.reserved.size() < team_size; idle_.pop_back()) {
    worker.reserved.push_back(idle_.back());
    worker.team.add(*idle_.back());
  }
  worker.busy = true;
  worker.Member::team = nullptr;
  worker.task.fetch_add(1, std::memory_order_release);
  worker.task.notify_one();
}

bool Executor::cancel(Ticket ticket) {
  Entry dropped;  // destroyed after the lock is released, because a job may hold large objects
  const std::lock_guard lock(mutex_);
  const auto has_ticket = [&](const Entry& entry) { return entry.ticket == ticket; };
  for (std::list<Entry>* waiting : {&in_order_, &aside_}) {
    const auto found = std::find_if(waiting->begin(), waiting->end(), has_ticket);
    if (found == waiting->end()) continue;
    dropped = std::move(*found);
    waiting->erase(found);
    return true;
  }
  for (const auto& worker : workers_) {
    if (worker->busy && has_ticket(worker->entry) && worker->entry.job.cancelled != nullptr) {
      worker->entry.job.cancelled->store(true);
    }
  }
  return false;
}

void Executor::drop(Owner owner) {
  std::list<Entry> dropped;
  std::unique_lock lock(mutex_);
  for (std::list<Entry>* waiting : {&in_order_, &aside_}) {
    for (auto entry = waiting->begin(); entry != waiting->end();) {
      const auto next = std::next(entry);
      if (entry->job.owner == owner) dropped.splice(dropped.end(), *waiting, entry);
      entry = next;
    }
  }
  const auto is_running = [&] {
    bool found = false;
    for (const auto& worker : workers_) {
      if (!worker->busy || worker->entry.job.owner != owner) continue;
      found = true;
      if (worker->entry.job.cancelled != nullptr) worker->entry.job.cancelled->store(true);
    }
    return found;
  };
  changed_.wait(lock, [&] { return !is_running(); });
}

void Executor::stop() {
  std::list<Entry> dropped_in_order, dropped_aside;
  std::unique_lock lock(mutex_);
  stopped_ = true;
  dropped_in_order.swap(in_order_);
  dropped_aside.swap(aside_);
  const auto is_busy = [&] {
    bool found = false;
    for (const auto& worker : workers_) {
      if (!worker->busy) continue;
      found = true;
      if (worker->entry.job.cancelled != nullptr) worker->entry.job.cancelled->store(true);
    }
    return found;
  };
  changed_.wait(lock, [&] { return !is_busy(); });
  std::vector<std::unique_ptr<Worker>> ended;
  ended.swap(workers_);
  idle_.clear();
  lock.unlock();
  for (const auto& worker : ended) {
    worker->Member::team = nullptr;
    worker->task.fetch_add(1, std::memory_order_release);
    worker->task.notify_one();
  }
  for (const auto& worker : ended) worker->thread.join();
}

void Executor::loop(Worker& worker) {
  if (priority_ == Priority::low) lower_priority();
  int threads = 1;
  for (uint32_t seen = 0;;) {
    Spin(threads).wait(worker.task, seen);
    seen = worker.task.load(std::memory_order_acquire);
    if (worker.Member::team != nullptr) {
      threads = worker.Member::team->size();
      worker.Member::team->join(worker.number);
    } else if (worker.busy) {
      threads = worker.team.size();
      run(worker);
    } else {
      return;  // stop()
    }
  }
}

void Executor::run(Worker& worker) {
  Job& job = worker.entry.job;
  std::exception_ptr failure;
  try {
    job.work(worker.team);
  } catch (...) {
    failure = std::current_exception();
  }
  job.on_finished(failure);
  const bool was_aside = job.aside;
  // Releases the job's objects before its owner learns that no job of it is running. `cancelled` stays
  // readable for cancel() and drop() until then.
  job.work = nullptr;
  job.on_finished = nullptr;

  const std::lock_guard lock(mutex_);
  worker.entry = {};
  worker.busy = false;
  if (was_aside) --aside_running_;
  if (!was_aside) ordered_ = nullptr;
  if (!stopped_) {
    idle_.insert(idle_.end(), worker.reserved.begin(), worker.reserved.end());
    idle_.push_back(&worker);
    worker.reserved.clear();
    dispatch();
  }
  changed_.notify_all();
}

}  // namespace ghostnet
