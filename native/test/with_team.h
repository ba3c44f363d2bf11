#pragma once

#include <atomic>
#include <future>
#include <thread>

#include "engine/executor.h"

namespace ghostnet {

/** Calls work(team) with a team of this many threads, and returns when it has ended. */
template <typename Work>
void with_team(int threads, const Work& work) {
  static Executor executor(1);
  std::promise<void> done;
  executor.submit({&executor, [&](Team& team) { work(team); },
                   [&](std::exception_ptr failure) {
                     failure == nullptr ? done.set_value() : done.set_exception(failure);
                   },
                   threads});
  done.get_future().get();
}

/** Calls work(team) on one thread. The others, of `threads` in all, are busy when it begins, and then free.
 */
template <typename Work>
void with_joining_team(int threads, const Work& work) {
  Executor executor(threads);
  std::promise<void> begun, done;
  std::atomic<int> busy = 0;
  const std::shared_future<void> has_begun = begun.get_future();
  for (int other = 1; other < threads; ++other) {
    executor.submit({&executor,
                     [&busy, has_begun](Team&) {
                       ++busy;
                       has_begun.wait();
                     },
                     [](std::exception_ptr) {}, 1, true});
  }
  while (busy < threads - 1) std::this_thread::yield();
  executor.submit({&executor,
                   [&](Team& team) {
                     begun.set_value();
                     work(team);
                   },
                   [&](std::exception_ptr failure) {
                     failure == nullptr ? done.set_value() : done.set_exception(failure);
                   },
                   threads});
  done.get_future().get();
}

}  // namespace ghostnet
