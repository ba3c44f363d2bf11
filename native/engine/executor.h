/**
 * The thread on which everything is computed: one in a process for each device, long-lived, shared by all
 * models and all JavaScript environments. Jobs run one after another in the order in which they were
 * submitted. Free of LibTorch.
 */
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>

namespace ghostnet {

class Executor {
 public:
  using Ticket = uint64_t;
  /** Who submitted a job: jobs of an environment that goes away are dropped together. */
  using Owner = const void*;

  struct Job {
    Owner owner;
    std::function<void()> work;                           ///< runs on the executor's thread; may throw
    std::function<void(std::exception_ptr)> on_finished;  ///< on the executor's thread, once, after the work
  };

  /** The executor of the CPU. It lives until the process exits. */
  static Executor& cpu();

  Ticket submit(Job job);

  /** Drops a job that still waits; its on_finished is not called. @return false when it runs or has run
   * already */
  bool cancel(Ticket ticket);

  /** Drops the waiting jobs of an owner and returns when none of its jobs is running. */
  void drop(Owner owner);

  /** Drops all waiting jobs, waits for the running one and ends the thread, and those of the worker pool,
   * which helped it; later jobs are dropped unseen. */
  void stop();

 private:
  struct Entry {
    Ticket ticket;
    Job job;
  };

  Executor() = default;
  void loop();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> waiting_;
  Owner running_ = nullptr;
  Ticket last_ticket_ = 0;
  bool stopped_ = false;
  std::thread thread_;
};

}  // namespace ghostnet
