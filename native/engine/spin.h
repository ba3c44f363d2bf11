/**
 * How the threads of a team wait for each other.
 */
#pragma once

#include <atomic>
#include <cstdint>

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

}  // namespace ghostnet
