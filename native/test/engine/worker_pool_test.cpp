#include "engine/worker_pool.h"

#include <gtest/gtest.h>

#include <numeric>

namespace ghostnet {
namespace {

TEST(WorkerPool, RunsEachThreadOnceAndGrows) {
  WorkerPool pool;
  for (const int threads : {1, 2, 5, 3, 9, 2}) {
    std::vector<int> runs(static_cast<size_t>(threads), 0);
    pool.run(
        threads,
        [](void* context, int number) {
          ++(*static_cast<std::vector<int>*>(context))[static_cast<size_t>(number)];
        },
        &runs);
    EXPECT_EQ(runs, std::vector<int>(static_cast<size_t>(threads), 1));
  }
}

TEST(WorkerPool, StartsAgainAfterItWasStopped) {
  WorkerPool pool;
  std::atomic<int> runs = 0;
  const auto count = [](void* context, int) { ++*static_cast<std::atomic<int>*>(context); };
  pool.run(4, count, &runs);
  pool.stop();
  pool.stop();
  pool.run(3, count, &runs);
  EXPECT_EQ(runs, 7);
}

TEST(WorkerPool, WakesThreadsThatHaveGoneToSleep) {
  WorkerPool pool;
  std::atomic<int> runs = 0;
  const auto count = [](void* context, int) { ++*static_cast<std::atomic<int>*>(context); };
  for (int round = 0; round < 5; ++round) {
    pool.run(3, count, &runs);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  EXPECT_EQ(runs, 15);
}

// Each thread sums the values that all have written before the barrier. They are in plain memory, so that
// ThreadSanitizer always detects a barrier that lets a thread through early.
TEST(Barrier, LetsNoneGoOnBeforeAllHaveCome) {
  for (const int threads : {2, 3, 8}) {
    struct Shared {
      int threads;
      std::vector<int> written;
      std::atomic<int> wrong = 0;
      Barrier barrier;
    } shared{threads, std::vector<int>(static_cast<size_t>(threads), 0), {}, {}};
    WorkerPool pool;
    pool.run(
        threads,
        [](void* context, int number) {
          auto& all = *static_cast<Shared*>(context);
          const Spin spin(all.threads);
          for (int round = 1; round <= 300; ++round) {
            all.written[static_cast<size_t>(number)] = round;
            all.barrier.wait(all.threads, spin);
            const int sum = std::accumulate(all.written.begin(), all.written.end(), 0);
            if (sum != round * all.threads) ++all.wrong;
            all.barrier.wait(all.threads, spin);
          }
        },
        &shared);
    EXPECT_EQ(shared.wrong, 0);
  }
}

}  // namespace
}  // namespace ghostnet
