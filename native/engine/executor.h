/**
 * The threads that compute: one set per process for the CPU, shared by all models and all JavaScript
 * environments, and two threads per GPU. They are long-lived.
 */
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/team.h"

namespace ghostnet {

/**
 * Runs two kinds of jobs on one set of threads.
 *
 * - Jobs in order run one after another, in the order in which they were submitted: everything that a network
 *   computes. Such a job gets a team of all threads that have nothing else to do when it begins, and its open
 *   runs get those that have nothing else to do later.
 * - Jobs aside run beside all others, each on one thread, in the order in which they were submitted:
 * decoding.
 *
 * So a batch is computed by every thread that has nothing to decode, and no thread waits while there is work.
 */
class Executor {
 public:
  using Ticket = uint64_t;
  /** The environment that submitted a job. When it closes, its jobs are dropped together. */
  using Owner = const void*;

  struct Job {
    Owner owner;
    std::function<void(Team&)> work;                      ///< runs on one of the threads; may throw
    std::function<void(std::exception_ptr)> on_finished;  ///< on the same thread, once, after the work
    int threads = 1;     ///< the most that the work can use, if it runs in order
    bool aside = false;  ///< runs beside other jobs
    /** Set to ask the running work to stop early, for example because its owner closes. */
    std::shared_ptr<std::atomic<bool>> cancelled = {};
  };

  /** The executor of the CPU. It lives until the process exits. */
  static Executor& cpu();
  /**
   * One of the two executors of a GPU, in turn, so that one batch is copied while another is computed. They
   * live until the process exits.
   */
  static Executor& gpu(int index);
  /**
   * The executor of trainings. Its threads have a lower priority where the system lets them: inference in the
   * same process goes first. It lives until the process exits.
   */
  static Executor& training();
  /** All executors made so far. */
  static std::vector<Executor*> all();

  enum class Priority { normal, low };
  /** @param threads that jobs share; a job in order that wants more adds threads */
  explicit Executor(int threads, Priority priority = Priority::normal)
      : threads_(threads), priority_(priority) {}
  ~Executor() { stop(); }

  /**
   * If it throws, the job is neither run nor reported. Once it has returned, no lack of memory or threads can
   * lose the job: it runs with fewer threads, if the system lets no more start.
   * @throws Error GHOSTNET_OUT_OF_THREADS if the system does not even let one thread start
   * @throws std::bad_alloc
   */
  Ticket submit(Job job);

  /**
   * Drops a waiting job without calling its on_finished. A running job is asked to stop early.
   * @return whether it was waiting
   */
  bool cancel(Ticket ticket);

  /** Drops the waiting jobs of an owner, and returns when none of its jobs is running. */
  void drop(Owner owner);

  /** Drops all waiting jobs, waits for the running jobs and ends the threads. Later jobs are dropped. */
  void stop();
  /** Stops all executors. */
  static void stop_all();

 private:
  struct Entry {
    Ticket ticket = 0;
    Job job;
  };
  struct Worker : Team::Member {
    explicit Worker(std::function<void()> on_open) : team(std::move(on_open)) {}

    Entry entry;  ///< the job it runs; empty if it has none
    Team team;    ///< of a job in order
    std::vector<Worker*> reserved;
    bool busy = false;
    std::thread thread;
  };

  void loop(Worker& worker);
  void run(Worker& worker);
  void dispatch() noexcept;
  void add_workers(int wanted, int most);
  void add_worker();
  void start(std::list<Entry>& waiting, size_t team_size);
  bool admit_to_ordered();

  std::mutex mutex_;
  std::condition_variable changed_;  ///< a job has ended
  const int threads_;
  const Priority priority_;
  std::list<Entry> in_order_, aside_;  ///< moved without allocation
  std::vector<std::unique_ptr<Worker>> workers_;
  std::vector<Worker*> idle_;  ///< the last one has worked most recently
  Worker* ordered_ = nullptr;  ///< runs the job in order, if there is one
  int aside_running_ = 0;      ///< at most threads_
  Ticket last_ticket_ = 0;
  bool stopped_ = false;
};

}  // namespace ghostnet
