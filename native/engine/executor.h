/**
 * The thread on which everything is computed: one in a process for the CPU, two for each GPU, long-lived,
 * shared by all models and all JavaScript environments. Jobs of one run one after another in the order in
 * which they were submitted. Free of LibTorch.
 */
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

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
  /**
   * An executor of a GPU: of two, one after the other, so that a batch is copied while another is computed.
   * They live until the process exits.
   */
  static Executor& gpu(int index);
  /** All executors that there are. */
  static std::vector<Executor*> all();

  Ticket submit(Job job);

  /** Drops a job that still waits; its on_finished is not called. @return false when it runs or has run
   * already */
  bool cancel(Ticket ticket);

  /** Drops the waiting jobs of an owner and returns when none of its jobs is running. */
  void drop(Owner owner);

  /** Drops all waiting jobs, waits for the running one and ends the thread; later jobs are dropped unseen. */
  void stop();
  /** Stops all executors, and the threads of the worker pool, which helped them. */
  static void stop_all();

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
