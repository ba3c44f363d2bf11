// Runs on several threads, without LibTorch, for ThreadSanitizer; see README.md.
#include <gtest/gtest.h>

#include <cstring>

#include "engine/cpu/engine.h"
#include "test/engine/engine_kind.h"
#include "test/engine/synthetic_network.h"
#include "with_team.h"

namespace ghostnet {
namespace {

Architecture every_kind_of_layer() {
  Architecture architecture;
  architecture.stages = {{{3, 16, 16, 0, 1}},
                         {{3, 50, 26, 0, 2}, {3, 60, 26, 0.25, 1}},
                         {{5, 70, 40, 0.25, 2}},
                         {{7, 90, 36, 0, 1}, {1, 20, 36, 0.5, 2}}};
  architecture.num_classes = 37;
  return architecture;
}

class Parallel : public testing::TestWithParam<EngineKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, Parallel, testing::ValuesIn(engine_kinds()),
                         [](const auto& info) { return info.param.name(); });

TEST_P(Parallel, AnImageHasTheSameBitsInEveryBatchAndOnAnyThreads) {
  constexpr int64_t kMaxBatch = 13;
  const auto arena = std::make_shared<Arena>();
  Engine engine(pack_network(synthetic_network(every_kind_of_layer()), cpu::kernels_of(GetParam().capability),
                             GetParam().precision),
                arena);
  const int64_t columns = engine.columns(Output::logits);
  for (const auto& [height, width] : {std::pair<int64_t, int64_t>{112, 96}, {49, 67}}) {
    const int64_t image = height * width * 3;
    std::vector<uint8_t> bytes(static_cast<size_t>(kMaxBatch * image));
    for (size_t index = 0; index < bytes.size(); ++index)
      bytes[index] = static_cast<uint8_t>(index * 2654435761u >> 13);
    const auto run = [&](int64_t first, int64_t batch, int threads, bool joining = false) {
      std::vector<float> result(static_cast<size_t>(batch * columns), -1);
      const ArrayView view = {DType::uint8, {batch, height, width, 3}, bytes.data() + first * image};
      const auto work = [&](Team& team) {
        engine.run({view, Transform{}, Output::logits, team}, result.data());
      };
      joining ? with_joining_team(threads, work) : with_team(threads, work);
      return result;
    };
    std::vector<float> alone;
    for (int64_t index = 0; index < kMaxBatch; ++index) {
      const std::vector<float> one = run(index, 1, 1);
      alone.insert(alone.end(), one.begin(), one.end());
    }
    for (const int64_t batch : {1, 2, 3, 5, 13}) {
      for (const int threads : {1, 2, 3, 4, 6, 9}) {
        if (arena->size() > 0) std::memset(arena->data(), 0xff, arena->size());
        for (const bool joining : {false, true}) {
          const std::vector<float> result = run(0, batch, threads, joining);
          EXPECT_EQ(std::memcmp(result.data(), alone.data(), result.size() * sizeof(float)), 0)
              << "batch " << batch << ", " << threads << (joining ? " threads that join" : " threads");
        }
      }
    }
  }
}

}  // namespace
}  // namespace ghostnet
