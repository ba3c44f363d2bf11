#include "engine/team.h"

#include <gtest/gtest.h>

#include <numeric>
#include <thread>
#include <utility>

#include "engine/spin.h"
#include "with_team.h"

namespace ghostnet {
namespace {

TEST(Team, RunsEachThreadOnceAndGrows) {
  for (const int threads : {1, 2, 5, 3, 9, 2}) {
    std::vector<int> runs(static_cast<size_t>(threads), 0);
    with_team(threads, [&](Team& team) {
      EXPECT_EQ(team.size(), threads);
      team.run([](void* context,
                  int number) { ++(*static_cast<std::vector<int>*>(context))[static_cast<size_t>(number)]; },
               &runs);
    });
    EXPECT_EQ(runs, std::vector<int>(static_cast<size_t>(threads), 1));
  }
}

TEST(Team, WakesThreadsThatHaveGoneToSleep) {
  std::atomic<int> runs = 0;
  with_team(3, [&](Team& team) {
    for (int round = 0; round < 5; ++round) {
      team.run([](void* context, int) { ++*static_cast<std::atomic<int>*>(context); }, &runs);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  });
  EXPECT_EQ(runs, 15);
}

// The work ends when all threads take part, so the test hangs if one is not admitted.
TEST(Team, AdmitsThreadsThatBecomeFreeDuringAnOpenRun) {
  constexpr int kThreads = 4;
  struct Shared {
    std::atomic<int> present = 0;
    std::atomic<uint32_t> numbers = 0;
  } shared;
  const Team::Work work = [](void* context, int number) {
    auto& all = *static_cast<Shared*>(context);
    all.numbers |= 1U << number;
    ++all.present;
    while (all.present < kThreads) std::this_thread::yield();
  };
  with_joining_team(kThreads, [&](Team& team) {
    EXPECT_EQ(team.size(), 1);
    EXPECT_EQ(team.limit(), kThreads);
    team.run_open(work, &shared);
    EXPECT_EQ(shared.numbers, (1U << kThreads) - 1);
    // A run that is not open is the team's own.
    shared.present = kThreads;
    shared.numbers = 0;
    team.run(work, &shared);
    EXPECT_EQ(shared.numbers, 1U);
  });
  EXPECT_EQ(shared.present, kThreads + 1);
}

TEST(Team, AdmitsNoneBesideARun) {
  Team team;
  Team::Member member;
  EXPECT_FALSE(team.admit(member));
  team.form(2);
  std::pair<Team*, Team::Member*> both = {&team, &member};
  const Team::Work work = [](void* context, int) {
    auto& [of, other] = *static_cast<std::pair<Team*, Team::Member*>*>(context);
    EXPECT_FALSE(of->admit(*other));
  };
  team.run(work, &both);
  EXPECT_FALSE(team.admit(member));
}

TEST(Team, IsTheCallerAloneByDefault) {
  Team alone;
  std::thread::id id;
  alone.run([](void* context, int) { *static_cast<std::thread::id*>(context) = std::this_thread::get_id(); },
            &id);
  EXPECT_EQ(alone.size(), 1);
  EXPECT_EQ(id, std::this_thread::get_id());
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
    const Team::Work work = [](void* context, int number) {
      auto& all = *static_cast<Shared*>(context);
      const Spin spin(all.threads);
      for (int round = 1; round <= 300; ++round) {
        all.written[static_cast<size_t>(number)] = round;
        all.barrier.wait(all.threads, spin);
        const int sum = std::accumulate(all.written.begin(), all.written.end(), 0);
        if (sum != round * all.threads) ++all.wrong;
        all.barrier.wait(all.threads, spin);
      }
    };
    with_team(threads, [&](Team& team) { team.run(work, &shared); });
    EXPECT_EQ(shared.wrong, 0);
  }
}

}  // namespace
}  // namespace ghostnet
