#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <utility>
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

  /** @param on_open called when an open run begins: threads can be admitted */
  explicit Team(std::function<void()> on_open = {}) : on_open_(std::move(on_open)) {}
  Team(const Team&) = delete;
  Team& operator=(const Team&) = delete;

  /** Room for so many threads: below it, form() and add() allocate nothing. */
  void reserve(size_t threads) { others_.reserve(threads); }

  /**
   * Makes it a team of the calling thread alone, to which others are added. Not during a run.
   * @param limit the most threads of an open run, those included that are admitted
   */
  void form(int limit);
  void add(Member& other) { others_.push_back(&other); }

  /** At least 1. */
  int size() const { return static_cast<int>(others_.size()) + 1; }
  /** At least size(). */
  int limit() const { return std::max(limit_, size()); }

  /**
   * Runs `work` once on each thread, where the caller is number 0, and returns when all have finished.
   * Allocates nothing. One call at a time.
   */
  void run(Work work, void* context);

  /**
   * Like run(), but threads that are admitted meanwhile run `work`, too, with the numbers from size() to
   * limit() - 1. So `work` takes its parts from what is left, and ends when nothing is.
   */
  void run_open(Work work, void* context);

  /**
   * Lets a thread take part in the open run that is going on. Calls exclude each other.
   * @return whether there is one, and room in it
   */
  bool admit(Member& member);

  /** Does the share of a member, on its thread. A member may still be in here when run() has returned. */
  void join(int number);

 private:
  void begin(Work work, void* context, uint32_t running);
  void start(Member& member, int number);

  std::vector<Member*> others_;
  int limit_ = 1;
  const std::function<void()> on_open_;
  Work work_ = nullptr;
  void* context_ = nullptr;
  int admitted_ = 0;
  /** The members that have not finished. In an open run also the caller, and the bit kOpen. */
  alignas(64) std::atomic<uint32_t> running_{0};
};

}  // namespace ghostnet
