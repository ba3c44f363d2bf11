#include "image/memory_budget.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>
#include <vector>

namespace ghostnet {
namespace {

using Share = MemoryBudget::Share;

/** Returns when so many requests wait, or after seconds in which they did not. */
void await_requests(const MemoryBudget& budget, size_t count) {
  for (int time = 0; time < 5000 && budget.waiting() < count; ++time) {
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  EXPECT_EQ(budget.waiting(), count);
}

TEST(MemoryBudget, GivesWhatIsFree) {
  MemoryBudget budget;
  {
    const Share first = budget.take(60, 100, nullptr);
    const Share second = budget.take(40, 100, nullptr);
    EXPECT_TRUE(first);
    EXPECT_TRUE(second);
    EXPECT_EQ(budget.held(), 100);
    Share moved;
    moved = budget.take(5, 200, nullptr);  // the limit of each request is its own
    EXPECT_EQ(budget.held(), 105);
  }
  EXPECT_EQ(budget.held(), 0);
}

TEST(MemoryBudget, NeverGivesMoreThanItHas) {
  MemoryBudget budget;
  std::atomic<int64_t> used = 0;
  std::atomic<int64_t> most = 0;
  std::vector<std::thread> threads;
  for (unsigned thread = 0; thread < 6; ++thread) {
    threads.emplace_back([&, thread] {
      std::mt19937 engine(thread);
      for (int time = 0; time < 300; ++time) {
        const int64_t bytes = std::uniform_int_distribution<int64_t>(1, 100)(engine);
        const Share share = budget.take(bytes, 100, nullptr);
        const int64_t now = used += bytes;
        for (int64_t seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
        }
        std::this_thread::yield();
        used -= bytes;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_LE(most, 100);
  EXPECT_EQ(budget.held(), 0);
}

TEST(MemoryBudget, ServesALargeRequestBeforeLaterSmallOnes) {
  MemoryBudget budget;
  std::atomic<bool> large_was_served = false;
  std::vector<std::thread> threads;
  {
    const Share first = budget.take(50, 100, nullptr);
    for (const int bytes : {80, 30, 40}) {
      threads.emplace_back([&, bytes] {
        const Share share = budget.take(bytes, 100, nullptr);
        if (bytes == 80) large_was_served = true;
        EXPECT_TRUE(large_was_served) << bytes;
      });
      await_requests(budget, threads.size());  // so that they ask in this order
    }
    EXPECT_EQ(budget.held(), 50);  // though there is room for the small ones
  }
  for (std::thread& thread : threads) thread.join();
}

TEST(MemoryBudget, EndsAWaitThatIsCancelled) {
  MemoryBudget budget;
  Share all = budget.take(100, 100, nullptr);
  auto least = std::chrono::steady_clock::duration::max();
  for (int time = 0; time < 5; ++time) {
    std::atomic<bool> cancelled = false;
    bool was_granted = true;
    std::thread waiting([&] { was_granted = static_cast<bool>(budget.take(1, 100, &cancelled)); });
    await_requests(budget, 1);
    const auto start = std::chrono::steady_clock::now();
    cancelled = true;
    waiting.join();
    EXPECT_FALSE(was_granted);
    least = std::min(least, std::chrono::steady_clock::now() - start);
  }
  EXPECT_LT(least, std::chrono::milliseconds(50));
  EXPECT_EQ(budget.held(), 100);
  // Those that left the line do not hold up the next.
  all = Share();
  EXPECT_TRUE(budget.take(100, 100, nullptr));
}

}  // namespace
}  // namespace ghostnet
