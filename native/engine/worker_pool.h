/**
 * The threads that compute together with the executor's thread: one pool per process, shared by all models.
 */
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace ghostnet {

/**
 * How long a waiting thread spins before it sleeps: a few tens of microseconds, about the cost of waking it.
 * If threads share processors it does not spin, because the thread it waits for could not run meanwhile.
 */
class Spin {
 public:
  /** @param threads number of threads that compute together */
  explicit Spin(int threads);

  /** Returns once `value` differs from `seen`. */
  void wait(const std::atomic<uint32_t>& value, uint32_t seen) const;

 private:
  int rounds_;
};

/** Synchronises the threads of a team: no thread continues until all have arrived. */
class Barrier {
 public:
  void wait(int threads, const Spin& spin);

 private:
  alignas(64) std::atomic<int> arrived_{0};
  std::atomic<uint32_t> round_{0};
};

class WorkerPool {
 public:
  /** The function each thread runs with its number, starting at 0. Must not throw. */
  using Work = void (*)(void* context, int thread);

  static WorkerPool& shared();

  WorkerPool() = default;
  ~WorkerPool() { stop(); }

  /**
   * Runs `work` once on each of `threads` threads, where the caller is number 0, and returns when all have
   * finished. The pool grows to the requested size and allocates nothing else. One call at a time.
   */
  void run(int threads, Work work, void* context);

  /** Ends the threads. A later run starts new threads. Must not be called during a run. */
  void stop();

 private:
  struct Worker {
    alignas(64) std::atomic<uint32_t> task{0};  ///< changes when there is work
    std::thread thread;
  };
  void loop(Worker& worker, int number);

  std::vector<std::unique_ptr<Worker>> workers_;
  Work work_ = nullptr;
  void* context_ = nullptr;
  int threads_ = 1;
  bool ending_ = false;
  alignas(64) std::atomic<uint32_t> running_{0};
};

}  // namespace ghostnet
