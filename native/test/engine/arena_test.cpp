#include "engine/arena.h"

#include <gtest/gtest.h>

#include <random>

namespace ghostnet {
namespace {

TEST(ArenaLayout, KeepsApartWhatLivesAtTheSameTime) {
  std::mt19937 engine(1);
  const auto random = [&](int low, int high) {
    return std::uniform_int_distribution<int>(low, high)(engine);
  };
  for (int round = 0; round < 200; ++round) {
    struct Buffer {
      int number, size, first, last;
    };
    ArenaLayout layout;
    std::vector<Buffer> buffers;
    for (int count = random(1, 30); count > 0; --count) {
      const int size = random(1, 5000);
      const int first = random(0, 20);
      const int last = first + random(0, 6);
      buffers.push_back({layout.add(size), size, first, last});
      layout.use(buffers.back().number, last);
      layout.use(buffers.back().number, first);
    }
    const int64_t total = layout.place();
    for (const Buffer& a : buffers) {
      EXPECT_EQ(layout.offset(a.number) % 16, 0);
      EXPECT_LE(layout.offset(a.number) + a.size, total);
      for (const Buffer& b : buffers) {
        if (a.number == b.number || a.last < b.first || b.last < a.first) continue;
        EXPECT_TRUE(layout.offset(a.number) + a.size <= layout.offset(b.number) ||
                    layout.offset(b.number) + b.size <= layout.offset(a.number));
      }
    }
  }
}

TEST(ArenaLayout, ReusesMemory) {
  ArenaLayout layout;
  for (int time = 0; time < 10; ++time) {
    const int buffer = layout.add(1000);
    layout.use(buffer, time);
    layout.use(buffer, time + 1);
  }
  EXPECT_LT(layout.place(), 3 * 1000);
}

TEST(Arena, GrowsAndIsShared) {
  const std::shared_ptr<Arena> arena = Arena::shared();
  EXPECT_EQ(Arena::shared(), arena);
  arena->reserve(1000);
  const size_t size = arena->size();
  EXPECT_GE(size, 1000u);
  std::byte* const data = arena->data();
  EXPECT_EQ(arena->reserve(10), data);
  arena->reserve(size + 1);
  EXPECT_GT(arena->size(), size);
}

}  // namespace
}  // namespace ghostnet
