#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

namespace ghostnet {

/** The threads that compute a job together: the one that calls run(), and others that are reserved for it. */
class Team {
 public:
  /** The function that each thread runs with its number, starting at 0. Must not throw. */
  using Work = void (*)(void* context, int thread);

  /** A thread that waits for work. */
  struct Member {
    alignas(64) std::atomic<uint32_t> task{0};  ///< changes when there is work
    Team* team = nullptr;                       ///< whose work it is
    int number = 0;                             ///< in the team
  };

  /** The calling thread alone. */
  Team() = default;
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  /** Replaces the other threads. Not during run(). */
  void gather(std::vector<Member*> others) { others_ = std::move(others); }

  /** At least 1. */
  int size() const { return static_cast<int>(others_.size()) + 1; }

  /**
   * Runs `work` once on each thread, where the caller is number 0, and returns when all have finished.
   * Allocates nothing. One call at a time.
   */
  void run(Work work, void* context);

  /** Does the share of a member, on its thread. A member may still be in here when run() has returned. */
  void join(int number);

 private:
  std::vector<Member*> others_;
  Work work_ = nullptr;
  void* context_ = nullptr;
  alignas(64) std::atomic<uint32_t> running_{0};
};

}  // namespace ghostnet
