#include "engine/executor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <stdexcept>
#include <thread>
#include <vector>

namespace ghostnet {
namespace {

/** Blocks the executor's thread until it is released. */
class Gate {
 public:
  Gate() {
    Executor::cpu().submit({this, [this](Team&) { opened_.get_future().wait(); }, [](std::exception_ptr) {}});
  }
  void open() { opened_.set_value(); }

 private:
  std::promise<void> opened_;
};

TEST(Executor, RunsJobsInOrderAndReportsEach) {
  std::vector<int> order;
  std::promise<void> done;
  for (int i = 0; i < 5; ++i) {
    Executor::cpu().submit({&order, [&order, i](Team&) { order.push_back(i); },
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
  Executor::cpu().submit({this, [](Team&) { throw std::runtime_error("no"); },
                          [&](std::exception_ptr thrown) { failure.set_value(thrown); }});
  EXPECT_THROW(std::rethrow_exception(failure.get_future().get()), std::runtime_error);
}

TEST(Executor, CancelsOnlyWhatWaits) {
  Gate gate;
  std::atomic<bool> ran = false;
  const auto ticket = Executor::cpu().submit(
      {this, [&](Team&) { ran = true; }, [](std::exception_ptr) { FAIL() << "reported"; }});
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
                          [&](Team&) {
                            running = true;
                            std::this_thread::sleep_for(std::chrono::milliseconds(50));
                            ended = true;
                          },
                          [](std::exception_ptr) {}});
  Executor::cpu().submit({&owner, [](Team&) { FAIL() << "ran"; }, [](std::exception_ptr) {}});
  std::promise<void> other_done;
  Executor::cpu().submit(
      {&other, [&](Team&) { others += 1; }, [&](std::exception_ptr) { other_done.set_value(); }});
  while (!running) std::this_thread::yield();
  Executor::cpu().drop(&owner);
  EXPECT_TRUE(ended);
  other_done.get_future().wait();
  EXPECT_EQ(others, 1);
}

/** Counts how many jobs run at the same time. */
struct Crowd {
  std::atomic<int> now = 0, most = 0, done = 0;

  void enter() {
    const int count = ++now;
    for (int seen = most; seen < count && !most.compare_exchange_weak(seen, count);) {
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
    --now;
  }
};

void wait_for(const std::atomic<int>& value, int wanted) {
  while (value < wanted) std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

TEST(Executor, RunsJobsAsideOnAsManyThreadsAsItHas) {
  Executor executor(3);
  Crowd crowd;
  for (int job = 0; job < 60; ++job) {
    executor.submit(
        {&crowd, [&](Team&) { crowd.enter(); }, [&](std::exception_ptr) { ++crowd.done; }, 1, true});
  }
  wait_for(crowd.done, 60);
  EXPECT_EQ(crowd.most, 3);
}

TEST(Executor, RunsJobsInOrderOneAtATimeBesideJobsAside) {
  Executor executor(3);
  Crowd aside, in_order;
  std::vector<int> order;
  for (int job = 0; job < 20; ++job) {
    executor.submit(
        {&aside, [&](Team&) { aside.enter(); }, [&](std::exception_ptr) { ++aside.done; }, 1, true});
    executor.submit({&in_order,
                     [&, job](Team& team) {
                       EXPECT_GE(team.size(), 1);
                       EXPECT_LE(team.size(), 3);
                       order.push_back(job);
                       in_order.enter();
                     },
                     [&](std::exception_ptr) { ++in_order.done; }, 3});
  }
  wait_for(aside.done, 20);
  wait_for(in_order.done, 20);
  EXPECT_EQ(in_order.most, 1);
  EXPECT_TRUE(std::is_sorted(order.begin(), order.end()));
}

TEST(Executor, GivesATeamTheThreadsThatHaveNothingElseToDo) {
  Executor executor(4);
  std::promise<void> release;
  const std::shared_future<void> released = release.get_future();
  std::atomic<int> begun = 0, done = 0;
  const auto finished = [&](std::exception_ptr) { ++done; };
  for (int job = 0; job < 2; ++job) {
    executor.submit({&done,
                     [&](Team&) {
                       ++begun;
                       released.wait();
                     },
                     finished, 1, true});
  }
  wait_for(begun, 2);
  int beside = 0, alone = 0;
  executor.submit({&done, [&](Team& team) { beside = team.size(); }, finished, 4});
  wait_for(done, 1);
  release.set_value();
  wait_for(done, 3);
  executor.submit({&done, [&](Team& team) { alone = team.size(); }, finished, 4});
  wait_for(done, 4);
  EXPECT_EQ(beside, 2);
  // The two threads may not have come back yet.
  EXPECT_GE(alone, 2);
}

TEST(Executor, AsksARunningJobToStop) {
  Executor executor(2);
  std::atomic<int> begun = 0, done = 0;
  const auto run = [&](auto stop) {
    const auto cancelled = std::make_shared<std::atomic<bool>>(false);
    begun = done = 0;
    const auto ticket = executor.submit({&done,
                                         [&, cancelled](Team&) {
                                           ++begun;
                                           while (!*cancelled) std::this_thread::yield();
                                         },
                                         [&](std::exception_ptr) { ++done; }, 1, true, cancelled});
    wait_for(begun, 1);
    stop(ticket);
    wait_for(done, 1);
  };
  run([&](Executor::Ticket ticket) { EXPECT_FALSE(executor.cancel(ticket)); });
  run([&](Executor::Ticket) { executor.drop(&done); });
  run([&](Executor::Ticket) { executor.stop(); });
}

}  // namespace
}  // namespace ghostnet
