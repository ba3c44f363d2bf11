#include "engine/cpu/engine.h"

#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <new>
#include <random>

#include "model/variant.h"
#include "modules/ghostnet.h"
#include "network_cases.h"
#include "runtime/fold.h"
#include "runtime/tensor_bridge.h"
#include "test/engine/engine_kind.h"
#include "with_team.h"

namespace {

std::atomic<bool> counting = false;
std::atomic<int64_t> allocations = 0;

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  if (counting) ++allocations;
  return memory;
}

}  // namespace

// Every C++ allocation of the process calls these.
void* operator new(size_t bytes) { return counted(std::malloc(std::max<size_t>(bytes, 1))); }
void* operator new(size_t bytes, const std::nothrow_t&) noexcept {
  try {
    return operator new(bytes);
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}
void* operator new(size_t bytes, std::align_val_t alignment) {
  const auto unit = static_cast<size_t>(alignment);
  return counted(std::aligned_alloc(unit, (std::max<size_t>(bytes, 1) + unit - 1) / unit * unit));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

namespace ghostnet {
namespace {

using cpu::Capability;

torch::Tensor run(Engine& engine, const Batch& input, Output output, int threads) {
  torch::Tensor result = torch::full({input.given.size(0), engine.columns(output)}, NAN);
  with_team(threads, [&](Team& team) {
    engine.run({input.view(), Transform{}, output, team}, result.data_ptr<float>());
  });
  return result;
}

std::unique_ptr<PackedNetwork> pack(const GhostNet& net, const EngineKind& kind) {
  return pack_network(fold_network(*net), cpu::kernels_of(kind.capability), kind.precision);
}

std::unique_ptr<PackedNetwork> pack_widest(const GhostNet& net) {
  return pack(net, {cpu::available_capabilities().back(), Precision::float32});
}

// Whether it has what GhostNetV2 and V3 have beyond GhostNet.
bool is_newer(const Architecture& architecture) {
  bool attention = false;
  for (const auto& stage : architecture.stages) {
    for (const BlockSpec& row : stage) attention = attention || row.attention;
  }
  return architecture.design == Design::ghostnet && (attention || architecture.form != Form::norms);
}

class EngineOf : public testing::TestWithParam<EngineKind> {};
INSTANTIATE_TEST_SUITE_P(Kinds, EngineOf, testing::ValuesIn(engine_kinds()),
                         [](const auto& info) { return info.param.name(); });

// The arena is filled with NaN before each run, so that a read before a write shows in the result.
TEST(Engine, EqualsTheModulesOnRandomArchitectures) {
  const torch::NoGradGuard no_grad;
  at::set_num_threads(1);
  constexpr uint64_t kCases = 600;
  double bfloat16_errors = 0;
  int64_t bfloat16_cases = 0;
  int newer = 0;
  for (uint64_t seed = 0; seed < kCases; ++seed) {
    Random random(seed);
    const Architecture architecture = random_architecture(random);
    if (is_newer(architecture)) ++newer;
    GhostNet net = random_network(architecture, seed);
    const int64_t least = least_side(architecture);
    const Batch input = random_input(random.between(0, 1) == 1, random.between(1, 4),
                                     random.between(least, 97), random.between(least, 97));
    const int threads = static_cast<int>(random.between(1, 4));
    const Output output = random.of({Output::logits, Output::features});
    const torch::Tensor expected = expected_of(net, input, output);
    for (const EngineKind& kind : engine_kinds()) {
      const auto arena = std::make_shared<Arena>();
      Engine engine(pack(net, kind), arena);
      const torch::Tensor first = run(engine, input, output, threads);
      std::memset(arena->data(), 0xff, arena->size());
      const torch::Tensor actual = run(engine, input, output, threads);
      const double error = relative_error(actual, expected);
      // In a few cases, values cancel out until mostly rounding is left, in the modules too.
      const bool narrow = kind.precision == Precision::bfloat16;
      if (narrow) {
        bfloat16_errors += error;
        ++bfloat16_cases;
      }
      const auto bound = [&] {
        if (!narrow) return 1e-5;
        return error < 8e-2 ? 8e-2 : 3 * relative_error(in_bfloat16(net, input, output), expected);
      };
      ASSERT_LT(error, bound()) << "seed " << seed << " " << kind.name();
      ASSERT_TRUE(same_bits(first, actual)) << "seed " << seed << " " << kind.name();
    }
  }
  EXPECT_GE(newer, 300);
  if (bfloat16_cases > 0) {
    EXPECT_LT(bfloat16_errors / static_cast<double>(bfloat16_cases), 6e-3);
  }
}

// With random weights, sixteen bottlenecks are a chaotic function: rounding grows, in the modules too.
TEST(Engine, IsAsExactAsTheModulesOnTheNamedVariants) {
  const torch::NoGradGuard no_grad;
  at::set_num_threads(1);
  for (const char* variant :
       {"ghostnet_050", "ghostnet_100", "ghostnet_130", "ghostnetv2_100", "ghostnetv3_050"}) {
    GhostNet net = random_network(*find_variant(variant), 3);
    for (const bool bytes : {false, true}) {
      const Batch input = bytes ? random_input(true, 2, 67, 101) : random_input(false, 1, 224, 224);
      const torch::Tensor expected = expected_of(net, input, Output::logits);
      const double rounding = relative_error(net->forward(input.values), expected);
      for (const Capability capability : cpu::available_capabilities()) {
        Engine engine(pack(net, {capability, Precision::float32}));
        EXPECT_LT(relative_error(run(engine, input, Output::logits, 2), expected),
                  std::max(1e-5, 8 * rounding))
            << variant << (bytes ? " bytes " : " floats ") << cpu::name_of(capability);
      }
    }
  }
}

TEST_P(EngineOf, GivesAnImageTheSameBitsInEveryBatchAndOnAnyThreads) {
  const torch::NoGradGuard no_grad;
  GhostNet net = random_network(*find_variant("ghostnet_050"), 4);
  Engine engine(pack(net, GetParam()));
  for (const auto& [height, width] : {std::pair<int64_t, int64_t>{224, 224}, {95, 70}}) {
    const Batch all = random_input(true, 7, height, width);
    std::vector<torch::Tensor> alone;
    for (int64_t index = 0; index < 7; ++index)
      alone.push_back(run(engine, all.image(index), Output::logits, 1));
    for (const int64_t batch : {1, 2, 3, 5, 7}) {
      const Batch some = {all.values.narrow(0, 0, batch), all.given.narrow(0, 0, batch).contiguous()};
      for (const int threads : {1, 2, 3, 4, 7, 16}) {
        const torch::Tensor result = run(engine, some, Output::logits, threads);
        for (int64_t index = 0; index < batch; ++index) {
          EXPECT_TRUE(same_bits(result.narrow(0, index, 1), alone[static_cast<size_t>(index)]))
              << "image " << index << " of " << batch << ", " << threads << " threads";
        }
      }
    }
  }
}

TEST_P(EngineOf, NeitherAllocatesNorCallsAnOperatorOnceAShapeIsKnown) {
  GhostNet net = make_ghostnet(*find_variant("ghostnet_050"), 5);
  Engine engine(pack(net, GetParam()));
  std::vector<float> result(3 * 1280);
  static std::atomic<int64_t> operators = 0;
  const auto handle = at::addGlobalCallback(
      at::RecordFunctionCallback([](const at::RecordFunction&) -> std::unique_ptr<at::ObserverContext> {
        ++operators;
        return nullptr;
      }));
  for (const bool bytes : {false, true}) {
    const Batch input = random_input(bytes, 3, 64, 48);
    const ArrayView view = input.view();
    const Transform transform;
    for (const Output output : {Output::logits, Output::features}) {
      for (const int threads : {1, 2, 5}) {
        with_team(threads, [&](Team& team) {
          engine.run({view, transform, output, team}, result.data());
          operators = 0;
          allocations = 0;
          counting = true;
          engine.run({view, transform, output, team}, result.data());
          counting = false;
        });
        EXPECT_EQ(allocations, 0);
        EXPECT_EQ(operators, 0);
      }
    }
  }
  operators = 0;
  torch::ones({1}).add(1);
  EXPECT_GT(operators, 0);  // the callback does see operators
  at::removeCallback(handle);
}

TEST(Engine, KeepsABoundedNumberOfPlans) {
  const torch::NoGradGuard no_grad;
  GhostNet net = random_network(*find_variant("ghostnet_050"), 6);
  Engine engine(pack_widest(net));
  const Batch first = random_input(false, 1, 32, 32);
  const torch::Tensor expected = run(engine, first, Output::logits, 1);
  for (int64_t batch = 1; batch <= int64_t{Engine::kMaxPlans} + 10; ++batch)
    run(engine, random_input(false, batch, 32, 32), Output::logits, 1);
  EXPECT_EQ(engine.plan_count(), Engine::kMaxPlans);
  EXPECT_TRUE(same_bits(run(engine, first, Output::logits, 1), expected));
}

TEST(Engine, IsACopyOfAModelThatTrainsOn) {
  GhostNet net = make_ghostnet(*find_variant("ghostnet_050"), 7);
  Engine engine(pack_widest(net));
  const Batch input = random_input(false, 1, 40, 40);
  const torch::Tensor before = run(engine, input, Output::logits, 1);
  net->train();
  net->forward(random_input(false, 2, 64, 64).values).sum().backward();
  {
    const torch::NoGradGuard no_grad;
    for (torch::Tensor& parameter : net->parameters()) parameter.sub_(parameter.grad());
  }
  EXPECT_TRUE(same_bits(run(engine, input, Output::logits, 1), before));
}

}  // namespace
}  // namespace ghostnet
