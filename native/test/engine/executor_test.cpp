#include "engine/executor.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <stdexcept>
#include <vector>

namespace ghostnet {
namespace {

/** Blocks the executor's thread until it is released. */
class Gate {
 public:
  Gate() {
    Executor::cpu().submit({this, [this] { opened_.get_future().wait(); }, [](std::exception_ptr) {}});
  }
  void open() { opened_.set_value(); }

 private:
  std::promise<void> opened_;
};

TEST(Executor, RunsJobsInOrderAndReportsEach) {
  std::vector<int> order;
  std::promise<void> done;
  for (int i = 0; i < 5; ++i) {
    Executor::cpu().submit({&order, [&order, i] { order.push_back(i); },
                            [&, i](std::exception_ptr failure) {
                              EXPECT_EQ(failure, nullptr);
                              if (i == 4) done.set_value();
                            }});
  }
  done.get_future().wait();
  EXPECT_EQ(order, (std::vector<int>{0, 1, 2, 3, 4}));
}

TEST(Executor, ReportsWhatAJobThrows) {
  std::promise<std::exception_ptr> failure;
  Executor::cpu().submit({this, [] { throw std::runtime_error("no"); },
                          [&](std::exception_ptr thrown) { failure.set_value(thrown); }});
  EXPECT_THROW(std::rethrow_exception(failure.get_future().get()), std::runtime_error);
}

TEST(Executor, CancelsOnlyWhatWaits) {
  Gate gate;
  std::atomic<bool> ran = false;
  const auto ticket =
      Executor::cpu().submit({this, [&] { ran = true; }, [](std::exception_ptr) { FAIL() << "reported"; }});
  EXPECT_TRUE(Executor::cpu().cancel(ticket));
  EXPECT_FALSE(Executor::cpu().cancel(ticket));
  gate.open();
  Executor::cpu().drop(&gate);
  EXPECT_FALSE(ran);
}

TEST(Executor, DropsTheJobsOfAnOwnerAndWaitsForTheRunningOne) {
  std::atomic<bool> running = false;
  std::atomic<bool> ended = false;
  std::atomic<int> others = 0;
  const int owner = 0;
  const int other = 0;
  Executor::cpu().submit({&owner,
                          [&] {
                            running = true;
                            std::this_thread::sleep_for(std::chrono::milliseconds(50));
                            ended = true;
                          },
                          [](std::exception_ptr) {}});
  Executor::cpu().submit({&owner, [] { FAIL() << "ran"; }, [](std::exception_ptr) {}});
  std::promise<void> other_done;
  Executor::cpu().submit({&other, [&] { others += 1; }, [&](std::exception_ptr) { other_done.set_value(); }});
  while (!running) std::this_thread::yield();
  Executor::cpu().drop(&owner);
  EXPECT_TRUE(ended);
  other_done.get_future().wait();
  EXPECT_EQ(others, 1);
}

}  // namespace
}  // namespace ghostnet
