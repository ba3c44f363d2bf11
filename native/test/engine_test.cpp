#include "engine/engine.h"

#include <ATen/record_function.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstring>
#include <new>
#include <random>

#include "engine/tensor_bridge.h"
#include "model/ghostnet.h"
#include "test/engine_kind.h"

namespace {

std::atomic<bool> counting = false;
std::atomic<int64_t> allocations = 0;

void* counted(void* memory) {
  if (memory == nullptr) throw std::bad_alloc();
  if (counting) ++allocations;
  return memory;
}

}  // namespace

// Every allocation of the process by C++ comes through these.
void* operator new(size_t bytes) { return counted(std::malloc(std::max<size_t>(bytes, 1))); }
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

/** Weights that make every layer matter: the values of a fresh network, other statistics than 0 and 1. */
GhostNet random_network(const Architecture& architecture, uint64_t seed) {
  GhostNet net = make_ghostnet(architecture, seed);
  torch::manual_seed(seed);
  const torch::NoGradGuard no_grad;
  for (auto& item : net->named_buffers()) {
    if (item.key().ends_with("running_mean")) item.value().normal_(0, 0.2);
    if (item.key().ends_with("running_var")) item.value().uniform_(0.3, 1.5);
  }
  for (auto& item : net->named_parameters()) {
    if (item.value().dim() == 4) item.value().mul_(2);
    if (item.value().dim() == 1) item.value().add_(torch::randn_like(item.value()).mul_(0.2));
  }
  return net;
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  int64_t between(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine_);
  }
  template <typename T>
  T of(std::initializer_list<T> values) {
    return values.begin()[between(0, static_cast<int64_t>(values.size()) - 1)];
  }

 private:
  std::mt19937_64 engine_;
};

Architecture random_architecture(Random& random) {
  Architecture architecture;
  architecture.width = random.of({0.3, 0.5, 1.0, 1.3});
  architecture.num_classes = random.between(1, 70);
  for (int64_t stage = random.between(1, 4); stage > 0; --stage) {
    auto& rows = architecture.stages.emplace_back();
    for (int64_t row = random.between(1, 2); row > 0; --row) {
      rows.push_back({random.of<int64_t>({1, 3, 3, 5, 5, 7}), random.between(1, 90), random.between(1, 60),
                      random.of({0., 0., 0.25, 0.5}), random.between(1, 2)});
    }
  }
  return architecture;
}

struct Input {
  torch::Tensor values;  ///< normalised, [N,3,H,W]
  torch::Tensor given;   ///< as it is handed over

  ArrayView view() const {
    return {given.scalar_type() == torch::kByte ? DType::uint8 : DType::float32, given.sizes().vec(),
            given.data_ptr()};
  }
  /** One image of it. */
  Input image(int64_t index) const {
    return {values.narrow(0, index, 1), given.narrow(0, index, 1).contiguous()};
  }
};

Input random_input(bool bytes, int64_t batch, int64_t height, int64_t width) {
  if (!bytes) {
    const torch::Tensor values = torch::randn({batch, 3, height, width});
    return {values, values};
  }
  const Transform transform;
  const torch::Tensor given = torch::randint(0, 256, {batch, height, width, 3}, torch::kByte);
  const auto channels = [](const std::array<double, 3>& v) { return torch::tensor({v[0], v[1], v[2]}); };
  const torch::Tensor values =
      (given.to(torch::kFloat64) / 255 - channels(transform.mean)) / channels(transform.std);
  return {values.to(torch::kFloat32).permute({0, 3, 1, 2}), given};
}

/** What the modules give in float64, where rounding does not count. The modules are float32 again after it.
 */
torch::Tensor expected_of(GhostNet& net, const Input& input, Output output) {
  net->to(torch::kFloat64);
  const torch::Tensor values = input.values.to(torch::kFloat64);
  const torch::Tensor result = output == Output::logits ? net->forward(values) : net->features(values);
  net->to(torch::kFloat32);
  return result;
}

torch::Tensor run(Engine& engine, const Input& input, Output output, int threads) {
  torch::Tensor result = torch::full({input.given.size(0), engine.columns(output)}, NAN);
  engine.run(input.view(), Transform{}, output, threads, result.data_ptr<float>());
  return result;
}

double relative_error(const torch::Tensor& actual, const torch::Tensor& expected) {
  return ((actual - expected).abs().max() / expected.abs().max()).item<double>();
}

bool same_bits(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor x = a.contiguous();
  const torch::Tensor y = b.contiguous();
  return x.sizes() == y.sizes() && std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

class EngineOf : public testing::TestWithParam<EngineKind> {
 protected:
  static PackedNetwork pack(GhostNet& net) {
    return pack_network(*net, GetParam().capability, GetParam().precision);
  }
};
INSTANTIATE_TEST_SUITE_P(Kinds, EngineOf, testing::ValuesIn(engine_kinds()),
                         [](const auto& info) { return info.param.name(); });

// The arena holds NaN before each run: whatever is read before it is written shows.
TEST(Engine, EqualsTheModulesOnRandomArchitectures) {
  const torch::NoGradGuard no_grad;
  at::set_num_threads(1);
  constexpr uint64_t kCases = 200;
  double bfloat16_errors = 0;
  int64_t bfloat16_cases = 0;
  for (uint64_t seed = 0; seed < kCases; ++seed) {
    Random random(seed);
    const Architecture architecture = random_architecture(random);
    GhostNet net = random_network(architecture, seed);
    const Input input = random_input(random.between(0, 1) == 1, random.between(1, 4), random.between(32, 97),
                                     random.between(32, 97));
    const int threads = static_cast<int>(random.between(1, 4));
    const Output output = random.of({Output::logits, Output::features});
    const torch::Tensor expected = expected_of(net, input, output);
    for (const EngineKind& kind : engine_kinds()) {
      const auto arena = std::make_shared<Arena>();
      Engine engine(pack_network(*net, kind.capability, kind.precision), kind.capability, arena);
      const torch::Tensor first = run(engine, input, output, threads);
      std::memset(arena->data(), 0xff, arena->size());
      const torch::Tensor actual = run(engine, input, output, threads);
      const double error = relative_error(actual, expected);
      // Single cases cancel out until little but rounding is left; most do not.
      const bool narrow = kind.precision == Precision::bfloat16;
      if (narrow) {
        bfloat16_errors += error;
        ++bfloat16_cases;
      }
      ASSERT_LT(error, narrow ? 5e-2 : 1e-5) << "seed " << seed << " " << kind.name();
      ASSERT_TRUE(same_bits(first, actual)) << "seed " << seed << " " << kind.name();
    }
  }
  if (bfloat16_cases > 0) {
    EXPECT_LT(bfloat16_errors / static_cast<double>(bfloat16_cases), 6e-3);
  }
}

// Random weights make sixteen bottlenecks a chaotic function: rounding grows on the way, in the modules as
// well.
TEST(Engine, IsAsExactAsTheModulesOnTheNamedVariants) {
  const torch::NoGradGuard no_grad;
  at::set_num_threads(1);
  for (const Variant& variant : variants()) {
    GhostNet net = random_network(*find_variant(variant.name), 3);
    for (const bool bytes : {false, true}) {
      const Input input = bytes ? random_input(true, 2, 67, 101) : random_input(false, 1, 224, 224);
      const torch::Tensor expected = expected_of(net, input, Output::logits);
      const double rounding = relative_error(net->forward(input.values), expected);
      for (const Capability capability : cpu::available_capabilities()) {
        Engine engine(pack_network(*net, capability), capability);
        EXPECT_LT(relative_error(run(engine, input, Output::logits, 2), expected),
                  std::max(1e-5, 8 * rounding))
            << variant.name << (bytes ? " bytes " : " floats ") << cpu::name_of(capability);
      }
    }
  }
}

TEST_P(EngineOf, GivesAnImageTheSameBitsInEveryBatchAndOnAnyThreads) {
  const torch::NoGradGuard no_grad;
  GhostNet net = random_network(*find_variant("ghostnet_050"), 4);
  Engine engine(pack(net), GetParam().capability);
  for (const auto& [height, width] : {std::pair<int64_t, int64_t>{224, 224}, {95, 70}}) {
    const Input all = random_input(true, 7, height, width);
    std::vector<torch::Tensor> alone;
    for (int64_t index = 0; index < 7; ++index)
      alone.push_back(run(engine, all.image(index), Output::logits, 1));
    for (const int64_t batch : {1, 2, 3, 5, 7}) {
      const Input some = {all.values.narrow(0, 0, batch), all.given.narrow(0, 0, batch).contiguous()};
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
  Engine engine(pack(net), GetParam().capability);
  std::vector<float> result(3 * 1280);
  static std::atomic<int64_t> operators = 0;
  const auto handle = at::addGlobalCallback(
      at::RecordFunctionCallback([](const at::RecordFunction&) -> std::unique_ptr<at::ObserverContext> {
        ++operators;
        return nullptr;
      }));
  for (const bool bytes : {false, true}) {
    const Input input = random_input(bytes, 3, 64, 48);
    const ArrayView view = input.view();
    const Transform transform;
    for (const Output output : {Output::logits, Output::features}) {
      for (const int threads : {1, 2, 5}) {
        engine.run(view, transform, output, threads, result.data());
        operators = 0;
        allocations = 0;
        counting = true;
        engine.run(view, transform, output, threads, result.data());
        counting = false;
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
  const Capability widest = cpu::available_capabilities().back();
  Engine engine(pack_network(*net, widest), widest);
  const Input first = random_input(false, 1, 32, 32);
  const torch::Tensor expected = run(engine, first, Output::logits, 1);
  for (int64_t batch = 1; batch <= 40; ++batch)
    run(engine, random_input(false, batch, 32, 32), Output::logits, 1);
  EXPECT_EQ(engine.plan_count(), Engine::kMaxPlans);
  EXPECT_TRUE(same_bits(run(engine, first, Output::logits, 1), expected));
}

TEST(Engine, IsACopyOfAModelThatTrainsOn) {
  GhostNet net = make_ghostnet(*find_variant("ghostnet_050"), 7);
  const Capability widest = cpu::available_capabilities().back();
  Engine engine(pack_network(*net, widest), widest);
  const Input input = random_input(false, 1, 40, 40);
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
