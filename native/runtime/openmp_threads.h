#pragma once

namespace ghostnet {

/**
 * The number of threads with which LibTorch's operators run on this thread, while this object lives;
 * otherwise it is 1, so that only the reference and the ghost module alone start a team of OpenMP at all.
 *
 * OpenMP ends the process if it cannot start a thread. So the threads are tried before: if the system lets
 * fewer start, the operators run with fewer.
 */
class OpenMpThreads {
 public:
  explicit OpenMpThreads(int wanted);
  ~OpenMpThreads();
  OpenMpThreads(const OpenMpThreads&) = delete;
  OpenMpThreads& operator=(const OpenMpThreads&) = delete;
};

/** Before LibTorch first computes anything. */
void start_without_openmp();

}  // namespace ghostnet
