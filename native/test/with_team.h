#pragma once

#include <future>

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

}  // namespace ghostnet
