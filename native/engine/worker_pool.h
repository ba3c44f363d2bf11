/**
 * The threads that help the executor's thread compute: one pool in a process, shared by all models. Free of
 * LibTorch.
 */
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace ghostnet {

/**
 * How long a thread that waits for another looks before it sleeps: a few tens of microseconds, about what
 * waking it would cost, and not at all where threads share processors, since the one waited for could not run
 * meanwhile.
 */
class Spin {
 public:
  /** @param threads that compute together */
  explicit Spin(int threads);

  /** Returns once `value` differs from `seen`. */
  void wait(const std::atomic<uint32_t>& value, uint32_t seen) const;

 private:
  int rounds_;
};

/** Where the threads of a team meet: none goes on before all have come. */
class Barrier {
 public:
  void wait(int threads, const Spin& spin);

 private:
  alignas(64) std::atomic<int> arrived_{0};
  std::atomic<uint32_t> round_{0};
};

class WorkerPool {
 public:
  /** What each thread runs, with its number from 0; must not throw. */
  using Work = void (*)(void* context, int thread);

  static WorkerPool& shared();

  WorkerPool() = default;
  ~WorkerPool() { stop(); }

  /**
   * Runs `work` once on each of `threads` threads, the caller being number 0, and returns when all have
   * ended. The pool grows to what is asked for and allocates nothing else. One call at a time.
   */
  void run(int threads, Work work, void* context);

  /** Ends the threads. A later run starts new ones. Not while one goes on. */
  void stop();

 private:
  struct Worker {
    alignas(64) std::atomic<uint32_t> task{0};  ///< changes when there is something to do
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
