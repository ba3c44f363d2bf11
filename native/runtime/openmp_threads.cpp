#include "runtime/openmp_threads.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <latch>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

namespace ghostnet {

namespace {

/** The threads of this process; 0 if the system does not say. */
int threads_of_process() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("Threads:", 0) == 0) return std::stoi(line.substr(8));
  }
  return 0;
}

/** The system counts a thread a little longer than join() waits for it. */
void wait_for_ends(int before) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(100);
  while (threads_of_process() > before && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
}

/** How many of `wanted` threads the system lets live together. */
int startable(int wanted) {
  const int before = threads_of_process();
  std::latch tried(1);
  std::vector<std::thread> threads;
  threads.reserve(static_cast<size_t>(wanted));
  try {
    while (static_cast<int>(threads.size()) < wanted) threads.emplace_back([&] { tried.wait(); });
  } catch (const std::system_error&) {
    // As many as there are.
  }
  tried.count_down();
  for (std::thread& thread : threads) thread.join();
  if (before > 0) wait_for_ends(before);
  return static_cast<int>(threads.size());
}

}  // namespace

OpenMpThreads::OpenMpThreads(int wanted) {
  // Each thread that starts teams keeps the threads of its largest one.
  thread_local int largest = 1;
  if (wanted > largest) largest += startable(wanted - largest);
  at::set_num_threads(std::min(wanted, largest));
}

OpenMpThreads::~OpenMpThreads() { at::set_num_threads(1); }

void start_without_openmp() { at::set_num_threads(1); }

}  // namespace ghostnet
