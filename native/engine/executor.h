/**
 * The threads that compute: one per process for the CPU and two per GPU. They are long-lived and shared by
 * all models and all JavaScript environments. The jobs of an executor run one after another, in the order in
 * which they were submitted.
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
  /** The environment that submitted a job. When it closes, its jobs are dropped together. */
  using Owner = const void*;

  struct Job {
    Owner owner;
    std::function<void()> work;                           ///< runs on the executor's thread; may throw
    std::function<void(std::exception_ptr)> on_finished;  ///< on the executor's thread, once, after the work
  };

  /** The executor of the CPU. It lives until the process exits. */
  static Executor& cpu();
  /**
   * One of the two executors of a GPU, in turn, so that one batch is copied while another is computed. They
   * live until the process exits.
   */
  static Executor& gpu(int index);
  /** All executors made so far. */
  static std::vector<Executor*> all();

  Ticket submit(Job job);

  /** Drops a waiting job without calling its on_finished. @return false if the job is running or has run */
  bool cancel(Ticket ticket);

  /** Drops the waiting jobs of an owner, and returns when none of its jobs is running. */
  void drop(Owner owner);

  /** Drops all waiting jobs, waits for the running job and ends the thread. Later jobs are dropped. */
  void stop();
  /** Stops all executors and the threads of the worker pool. */
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
