// The GPU engine with the source of the kernels, on a CPU: its launches and its results.
#include "engine/cuda/cuda_engine.h"

#include <gtest/gtest.h>

#include <thread>

#include "base/error.h"
#include "model/variant.h"
#include "network_cases.h"
#include "rig/rig_device.h"
#include "runtime/fold.h"

namespace ghostnet {
namespace {

using cuda::CudaEngine;
using cuda::GhostPath;
using cuda_on_cpu::RigDevice;

/** Of the largest value, for a network of a few bottlenecks. */
double tolerance(Precision dtype) {
  switch (dtype) {
    case Precision::float32:
      return 1e-5;
    case Precision::tf32:
    case Precision::float16:
      return 1e-2;
    case Precision::bfloat16:
      return 8e-2;
  }
  return 0;
}

torch::Tensor run(CudaEngine& engine, const Batch& input, Output output = Output::logits) {
  torch::Tensor result = torch::full({input.given.size(0), engine.columns(output)}, NAN);
  Team alone;
  engine.run({input.view(), Transform{}, output, alone}, result.data_ptr<float>());
  return result;
}

void expect_no_faults(const RigDevice& device) {
  for (const std::string& fault : device.faults()) ADD_FAILURE() << fault;
}

TEST(CudaEngine, EqualsTheModulesOnRandomArchitectures) {
  const torch::NoGradGuard no_grad;
  for (uint64_t seed = 0; seed < 45; ++seed) {
    Random random(seed + 1000);
    const Architecture architecture = random_architecture(random);
    if (architecture.design == Design::repghost) continue;  // see RefusesRepGhost
    GhostNet net = random_network(architecture, seed);
    const int64_t least = least_side(architecture);
    const Batch input = random_input(random.between(0, 1) == 1, random.between(1, 3),
                                     random.between(least, 70), random.between(least, 70));
    const Output output = random.of({Output::logits, Output::features});
    const torch::Tensor expected = expected_of(net, input, output);
    const Precision dtype = kPrecisions[seed % std::size(kPrecisions)];
    const auto device = std::make_shared<RigDevice>(static_cast<unsigned>(seed));
    const CudaEngine::Options options = {
        random.of({GhostPath::fused, GhostPath::measured, GhostPath::in_two}), random.between(0, 1) == 1};
    CudaEngine engine(device, fold_network(*net), dtype, options);
    const torch::Tensor first = run(engine, input, output);
    ASSERT_LT(relative_error(first, expected), tolerance(dtype)) << "seed " << seed;
    ASSERT_TRUE(same_bits(first, run(engine, input, output))) << "seed " << seed;
    expect_no_faults(*device);
    if (HasFailure()) FAIL() << "seed " << seed;
  }
}

TEST(CudaEngine, RefusesRepGhost) {
  GhostNet net = random_network(*find_variant("repghostnet_050"), 1);
  const auto device = std::make_shared<RigDevice>(1u);
  CudaEngine engine(device, fold_network(*net), Precision::float32);
  try {
    run(engine, random_input(false, 1, 32, 32));
    FAIL() << "nothing was thrown";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::GHOSTNET_UNSUPPORTED_LAYER);
  }
}

// With random weights, rounding grows over sixteen bottlenecks, in the modules too.
TEST(CudaEngine, ComputesGhostNetInOneLaunchAModule) {
  const torch::NoGradGuard no_grad;
  GhostNet net = random_network(*find_variant("ghostnet_050"), 3);
  const Batch input = random_input(true, 1, 64, 64);
  const torch::Tensor expected = expected_of(net, input, Output::logits);
  const double rounding = relative_error(net->forward(input.values), expected);
  const auto device = std::make_shared<RigDevice>();
  CudaEngine engine(device, fold_network(*net), Precision::float32);
  EXPECT_LT(relative_error(run(engine, input), expected), std::max(1e-5, 8 * rounding));
  const RigDevice::Counts counts = device->counts();
  EXPECT_EQ(counts.ghost_modules, 32);
  // Also: stem, 4 strided convolutions, 7 squeeze-and-excitations of 3, 5 shortcuts of 2, last 1x1,
  // mean, head, classifier.
  EXPECT_EQ(counts.launches, 32 + 1 + 4 + 7 * 3 + 5 * 2 + 4);
  EXPECT_EQ(counts.graphs, 0);
  run(engine, input);
  EXPECT_EQ(device->counts().graphs, 1);
  EXPECT_EQ(device->counts().ghost_modules, 2 * 32);
  expect_no_faults(*device);
}

TEST(CudaEngine, ComputesGhostNetInTwoLaunchesAModuleWhereToldTo) {
  const torch::NoGradGuard no_grad;
  GhostNet net = random_network(*find_variant("ghostnet_050"), 3);
  const Batch input = random_input(false, 1, 40, 32);
  const torch::Tensor expected = expected_of(net, input, Output::logits);
  const double rounding = relative_error(net->forward(input.values), expected);
  const auto device = std::make_shared<RigDevice>();
  CudaEngine engine(device, fold_network(*net), Precision::float32, {GhostPath::in_two, false});
  EXPECT_LT(relative_error(run(engine, input), expected), std::max(1e-5, 8 * rounding));
  EXPECT_EQ(device->counts().ghost_modules, 0);
  EXPECT_EQ(device->counts().launches, 2 * 32 + 16 + 1 + 4 + 7 * 3 + 5 * 2 + 4);
  EXPECT_EQ(device->counts().graphs, 0);
  expect_no_faults(*device);
}

TEST(CudaEngine, GivesAnImageTheSameBitsInEveryBatch) {
  const torch::NoGradGuard no_grad;
  GhostNet net = random_network(*find_variant("ghostnet_050"), 4);
  const Batch all = random_input(true, 5, 45, 38);
  for (const Precision dtype : {Precision::float32, Precision::float16}) {
    const auto device = std::make_shared<RigDevice>();
    CudaEngine engine(device, fold_network(*net), dtype);
    const torch::Tensor together = run(engine, all);
    for (const int64_t image : {0, 4}) {
      EXPECT_TRUE(same_bits(run(engine, all.image(image)), together.narrow(0, image, 1))) << image;
    }
    expect_no_faults(*device);
  }
}

GhostNet small_network(uint64_t seed) {
  Architecture architecture;
  architecture.stages = {{{3, 16, 16, 0.25, 1}}, {{3, 24, 12, 0, 2}}};
  architecture.num_classes = 10;
  return random_network(architecture, seed);
}

TEST(CudaEngine, AllocatesAndRecordsNothingAfterTheFirstRunsOfAShape) {
  const torch::NoGradGuard no_grad;
  GhostNet net = small_network(5);
  const auto device = std::make_shared<RigDevice>();
  CudaEngine engine(device, fold_network(*net), Precision::float16);
  const Batch input = random_input(true, 2, 32, 32);
  const torch::Tensor first = run(engine, input);
  run(engine, input);
  device->reset_counts();
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(same_bits(first, run(engine, input)));
  EXPECT_EQ(device->counts().allocations, 0);
  EXPECT_EQ(device->counts().graphs, 0);
  EXPECT_EQ(device->counts().graph_launches, 3);
}

TEST(CudaEngine, RecordsAnewWhatItsMemoryHasMovedFrom) {
  const torch::NoGradGuard no_grad;
  GhostNet net = small_network(9);
  const auto device = std::make_shared<RigDevice>();
  CudaEngine engine(device, fold_network(*net), Precision::float32);
  const Batch small = random_input(true, 1, 32, 32), large = random_input(false, 2, 48, 40);
  const torch::Tensor first = run(engine, small);
  run(engine, small);
  EXPECT_EQ(device->counts().graphs, 1);
  run(engine, large);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(same_bits(first, run(engine, small)));
  EXPECT_EQ(device->counts().graphs, 2);
  expect_no_faults(*device);
}

TEST(CudaEngine, KeepsABoundedNumberOfPlansAndGrowsItsMemory) {
  const torch::NoGradGuard no_grad;
  GhostNet net = small_network(6);
  const auto device = std::make_shared<RigDevice>();
  CudaEngine engine(device, fold_network(*net), Precision::float32);
  std::vector<Batch> inputs;
  for (int64_t i = 0; i < 20; ++i) inputs.push_back(random_input(i % 2 == 0, 1 + i % 3, 32 + i, 50 - i % 7));
  for (int round = 0; round < 2; ++round) {
    for (const Batch& input : inputs) {
      EXPECT_LT(relative_error(run(engine, input), expected_of(net, input, Output::logits)), 1e-5);
    }
  }
  EXPECT_EQ(engine.plan_count(), CudaEngine::kMaxPlans);
  expect_no_faults(*device);
}

// Two threads submit batches while the streams work in random order, within the limits that events set.
TEST(CudaEngine, KeepsBatchesApartThatAreOnTheirWayTogether) {
  const torch::NoGradGuard no_grad;
  GhostNet net = small_network(7);
  int copied_ahead = 0;
  for (unsigned seed = 0; seed < 8; ++seed) {
    const auto device = std::make_shared<RigDevice>(seed);
    CudaEngine engine(device, fold_network(*net), Precision::float32);
    const auto work = [&](int thread) {
      const torch::NoGradGuard no_grad_here;
      for (int i = 0; i < 4; ++i) {
        const Batch input = random_input((thread + i) % 2 == 0, 1 + (thread + i) % 3, 32, 33 + i % 2);
        const torch::Tensor result = run(engine, input);
        const torch::Tensor alone = run(engine, input.image(0));
        EXPECT_TRUE(same_bits(result.narrow(0, 0, 1), alone)) << "seed " << seed;
        EXPECT_FALSE(result.isnan().any().item<bool>());
      }
    };
    std::thread other([&] { work(1); });
    work(0);
    other.join();
    device->synchronize();
    copied_ahead += device->counts().copied_ahead;
    expect_no_faults(*device);
  }
  EXPECT_GT(copied_ahead, 0);  // else no two batches were in flight together
}

TEST(CudaEngine, SaysWhenMemoryIsShortAndGoesOn) {
  const torch::NoGradGuard no_grad;
  GhostNet net = small_network(8);
  const auto device = std::make_shared<RigDevice>();
  CudaEngine engine(device, fold_network(*net), Precision::float32);
  const Batch small = random_input(true, 1, 32, 32), large = random_input(true, 3, 60, 60);
  const torch::Tensor before = run(engine, small);
  device->set_memory(100000);
  try {
    run(engine, large);
    ADD_FAILURE() << "it had the memory";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::GHOSTNET_OUT_OF_MEMORY);
  }
  device->set_memory(size_t{1} << 40);
  EXPECT_TRUE(same_bits(run(engine, small), before));
  EXPECT_LT(relative_error(run(engine, large), expected_of(net, large, Output::logits)), 1e-5);
  expect_no_faults(*device);
}

}  // namespace
}  // namespace ghostnet
