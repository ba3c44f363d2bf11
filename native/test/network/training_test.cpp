#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "modules/ghostnet.h"
#include "training/augmentation.h"
#include "training/average.h"
#include "training/mixing.h"
#include "training/optimizer.h"
#include "training/schedule.h"
#include "training/settings.h"

namespace ghostnet {
namespace {

Architecture small_architecture() {
  Architecture architecture;
  architecture.stages = {{{3, 16, 16, 0, 1}}, {{5, 48, 24, 0.25, 2}}};
  architecture.width = 0.5;
  architecture.num_classes = 3;
  return architecture;
}

TEST(Schedule, RisesToThePeakAndFallsAlongACosine) {
  const Schedule schedule{.peak = 0.8, .warmup_steps = 4, .total_steps = 24};
  EXPECT_DOUBLE_EQ(schedule.rate(0), 0.2);
  EXPECT_DOUBLE_EQ(schedule.rate(3), 0.8);
  EXPECT_DOUBLE_EQ(schedule.rate(4), 0.8);
  EXPECT_NEAR(schedule.rate(14), 0.4, 1e-15);
  EXPECT_NEAR(schedule.rate(19), 0.8 * 0.5 * (1 - std::sqrt(0.5)), 1e-15);
  for (int64_t step = 5; step < 24; ++step) EXPECT_LT(schedule.rate(step), schedule.rate(step - 1)) << step;
  EXPECT_GT(schedule.rate(23), 0);
  EXPECT_NEAR(schedule.rate(24), 0, 1e-15);
  EXPECT_NEAR(schedule.rate(100), 0, 1e-15);
}

TEST(Schedule, NeedsNoWarmup) {
  const Schedule schedule{.peak = 0.5, .warmup_steps = 0, .total_steps = 2};
  EXPECT_DOUBLE_EQ(schedule.rate(0), 0.5);
  EXPECT_NEAR(schedule.rate(1), 0.25, 1e-15);
}

TEST(Average, FollowsParametersAndStatisticsAndCopiesCounters) {
  GhostNet net = make_ghostnet(small_architecture(), 1);
  Average average(*net, 0.99);
  const torch::NoGradGuard no_grad;
  const torch::Tensor before = net->conv_stem->weight.clone();
  net->conv_stem->weight.add_(1);
  net->bn1->running_mean.fill_(2);
  net->bn1->num_batches_tracked.fill_(7);
  average.update(0);  // the decay is a tenth: (1 + 0) / (10 + 0)
  const auto values = average.values();
  EXPECT_TRUE(torch::allclose(values.at("conv_stem.weight"), before + 0.9));
  EXPECT_TRUE(torch::allclose(values.at("bn1.running_mean"), torch::full_like(net->bn1->running_mean, 1.8)));
  EXPECT_EQ(values.at("bn1.num_batches_tracked").item<int64_t>(), 7);
  EXPECT_EQ(values.size(), net->named_parameters().size() + net->named_buffers().size());
}

TEST(Average, HasAShortMemoryAtFirst) {
  EXPECT_DOUBLE_EQ(Average::decay_at(0.99, 0), 0.1);
  EXPECT_DOUBLE_EQ(Average::decay_at(0.99, 10), 0.55);
  EXPECT_DOUBLE_EQ(Average::decay_at(0.99, 100'000), 0.99);
}

TEST(Optimizer, LeavesNormsAndBiasesWithoutDecay) {
  for (const OptimizerKind kind : kOptimizerKinds) {
    GhostNet net = make_ghostnet(small_architecture(), 1);
    TrainingSettings settings;
    settings.optimizer = kind;
    settings.weight_decay = 0.5;
    Optimizer optimizer(*net, settings);
    std::map<std::string, torch::Tensor> before;
    for (auto& item : net->named_parameters()) {
      const torch::NoGradGuard no_grad;
      item.value().fill_(1);
      before[item.key()] = item.value().clone();
      item.value().mutable_grad() = torch::zeros_like(item.value());
    }
    optimizer.step(0.1, 0);
    for (const auto& item : net->named_parameters()) {
      const bool is_same = item.value().equal(before.at(item.key()));
      EXPECT_EQ(is_same, item.value().dim() == 1) << item.key();
      if (item.value().dim() > 1) {
        EXPECT_NEAR(item.value().mean().item<double>(), 0.95, kind == OptimizerKind::sgd ? 0.05 : 1e-6);
      }
    }
    EXPECT_FALSE(decays(net->bn1->weight));
    EXPECT_FALSE(decays(net->classifier->bias));
    EXPECT_TRUE(decays(net->classifier->weight));
  }
}

TEST(Optimizer, ScalesGradientsDownToANorm) {
  GhostNet net = make_ghostnet(small_architecture(), 1);
  TrainingSettings settings;
  settings.optimizer = OptimizerKind::sgd;
  settings.momentum = 0;
  Optimizer optimizer(*net, settings);
  const torch::Tensor before = net->classifier->bias.detach().clone();
  net->classifier->bias.mutable_grad() = torch::tensor({3.f, 0.f, 4.f});
  optimizer.step(1, 1);
  const torch::Tensor moved = before - net->classifier->bias.detach();
  EXPECT_TRUE(torch::allclose(moved, torch::tensor({0.6f, 0.f, 0.8f}), 1e-4, 1e-5)) << moved;
}

TEST(Optimizer, GoesOnFromItsState) {
  for (const OptimizerKind kind : kOptimizerKinds) {
    TrainingSettings settings;
    settings.optimizer = kind;
    settings.weight_decay = 0.01;
    GhostNet straight = make_ghostnet(small_architecture(), 1);
    GhostNet resumed = make_ghostnet(small_architecture(), 1);
    const auto step = [&](GhostNet& net, Optimizer& optimizer, int number) {
      for (auto& item : net->named_parameters()) {
        item.value().mutable_grad() = torch::full_like(item.value(), std::sin(number) + 0.1);
      }
      optimizer.step(0.01, 0);
    };
    Optimizer first(*straight, settings), second(*resumed, settings);
    for (int number = 0; number < 3; ++number) step(straight, first, number);
    for (int number = 0; number < 3; ++number) step(resumed, second, number);
    Optimizer third(*resumed, settings);
    third.restore(second.state());
    step(straight, first, 3);
    step(resumed, third, 3);
    for (const auto& item : straight->named_parameters()) {
      EXPECT_TRUE(item.value().equal(resumed->named_parameters()[item.key()])) << item.key();
    }
  }
}

TEST(Augmentation, CropsStayWithinThePictureAndTheirArea) {
  for (const double least : {0.08, 0.35, 0.9}) {
    double smallest = 1;
    std::set<int64_t> tops;
    for (uint64_t seed = 0; seed < 2000; ++seed) {
      Random random(seed);
      const Crop crop = random_crop(random, 73, least);
      EXPECT_GE(crop.top, 0);
      EXPECT_GE(crop.left, 0);
      EXPECT_GE(crop.height, 1);
      EXPECT_GE(crop.width, 1);
      EXPECT_LE(crop.top + crop.height, 73);
      EXPECT_LE(crop.left + crop.width, 73);
      const double area = static_cast<double>(crop.height * crop.width) / (73.0 * 73.0);
      smallest = std::min(smallest, area);
      tops.insert(crop.top);
      // Sides are rounded to whole pixels.
      EXPECT_GE(area, least - 0.03);
    }
    EXPECT_LT(smallest, least + 0.05);
    EXPECT_GT(tops.size(), 3U);
  }
}

torch::Tensor picture(int64_t side) {
  return torch::arange(side * side * 3).remainder(251).to(torch::kUInt8).view({1, side, side, 3});
}

TEST(Augmentation, WithoutChangesIsTheCentreNormalised) {
  Transform transform;
  transform.input_size = 32;
  const torch::Tensor pixels = picture(38);
  const torch::Tensor inputs = augment({pixels, {0}, 1}, {}, transform, 1, torch::kFloat64);
  EXPECT_TRUE(inputs.is_contiguous(at::MemoryFormat::ChannelsLast));
  const double expected = (pixels[0][3 + 5][3 + 7][2].item<double>() / 255 - 0.406) / 0.225;
  EXPECT_NEAR(inputs[0][2][5][7].item<double>(), expected, 1e-12);
}

TEST(Augmentation, DependsOnSeedEpochAndSampleAlone) {
  Transform transform;
  transform.input_size = 32;
  const Augmentation all{.flip = true, .least_area = 0.3, .colour_jitter = 0.4};
  const torch::Tensor two = torch::cat({picture(38), picture(38)});
  const auto inputs = [&](std::vector<int64_t> samples, int64_t epoch, uint64_t seed) {
    return augment({two, std::move(samples), epoch}, all, transform, seed, torch::kFloat32);
  };
  const torch::Tensor first = inputs({4, 9}, 1, 1);
  EXPECT_TRUE(first.equal(inputs({4, 9}, 1, 1)));
  EXPECT_TRUE(first[0].equal(inputs({9, 4}, 1, 1)[1]));
  EXPECT_FALSE(first[0].equal(first[1]));
  EXPECT_FALSE(first[0].equal(inputs({4, 9}, 2, 1)[0]));
  EXPECT_FALSE(first[0].equal(inputs({4, 9}, 1, 2)[0]));
}

TEST(Augmentation, FlipsHalfOfThePictures) {
  Transform transform;
  transform.input_size = 32;
  int flipped = 0;
  const torch::Tensor plain = augment({picture(32), {0}, 1}, {}, transform, 1, torch::kFloat32);
  for (int64_t sample = 0; sample < 400; ++sample) {
    const torch::Tensor one =
        augment({picture(32), {sample}, 1}, {.flip = true}, transform, 1, torch::kFloat32);
    if (one.equal(plain)) continue;
    EXPECT_TRUE(one.equal(plain.flip({3})));
    ++flipped;
  }
  EXPECT_NEAR(flipped, 200, 60);
}

TEST(Augmentation, JitterKeepsPixelsInRangeAndZeroIsNone) {
  const torch::Tensor pixels = picture(32)[0].to(torch::kFloat32);
  for (uint64_t seed = 0; seed < 50; ++seed) {
    Random random(seed);
    const torch::Tensor changed = jittered(random, pixels, 0.8);
    EXPECT_GE(changed.min().item<float>(), 0);
    EXPECT_LE(changed.max().item<float>(), 255);
    EXPECT_FALSE(changed.equal(pixels));
  }
  Random random(1);
  EXPECT_TRUE(torch::allclose(jittered(random, pixels, 0), pixels, 1e-4, 1e-3));
}

TEST(Mixing, KeepsTheSharesOfPicturesAndClassesEqual) {
  const torch::Tensor inputs = torch::stack({torch::zeros({3, 20, 20}), torch::ones({3, 20, 20})});
  const torch::Tensor targets = torch::tensor({0, 1}, torch::kInt64);
  for (const bool is_cutmix : {false, true}) {
    Augmentation augmentation;
    (is_cutmix ? augmentation.cutmix : augmentation.mixup) = 1;
    double least = 1, most = 0;
    for (uint64_t seed = 0; seed < 100; ++seed) {
      const Examples examples = mixed({inputs.clone(), targets}, augmentation, 3, seed);
      // The share of the second picture in the first is that of its class.
      const double share = examples.inputs[0].mean().item<double>();
      EXPECT_NEAR(examples.targets[0][1].item<double>(), share, 1e-5);
      EXPECT_NEAR(examples.targets[0].sum().item<double>(), 1, 1e-5);
      EXPECT_NEAR(examples.targets[1][0].item<double>(), share, 1e-5);
      EXPECT_EQ(examples.targets[0][2].item<float>(), 0);
      least = std::min(least, share);
      most = std::max(most, share);
    }
    EXPECT_LT(least, 0.2);
    EXPECT_GT(most, 0.5);
  }
}

TEST(Mixing, IsOffByDefault) {
  const Examples examples{torch::ones({2, 3, 4, 4}), torch::tensor({0, 1}, torch::kInt64)};
  EXPECT_TRUE(mixed(examples, {}, 3, 1).targets.equal(examples.targets));
}

TEST(TrainingSettings, OutOfRangeAreRefused) {
  const auto refused = [](const std::function<void(TrainingSettings&)>& change) {
    TrainingSettings settings;
    change(settings);
    try {
      validate(settings);
    } catch (const Error& error) {
      return error.code() == ErrorCode::GHOSTNET_INVALID_ARGUMENT;
    }
    return false;
  };
  EXPECT_FALSE(refused([](TrainingSettings&) {}));
  EXPECT_TRUE(refused([](TrainingSettings& settings) { settings.schedule.peak = std::nan(""); }));
  EXPECT_TRUE(refused([](TrainingSettings& settings) { settings.momentum = 1; }));
  EXPECT_TRUE(refused([](TrainingSettings& settings) { settings.label_smoothing = -0.1; }));
  EXPECT_TRUE(refused([](TrainingSettings& settings) { settings.augmentation.least_area = 0; }));
  EXPECT_TRUE(refused([](TrainingSettings& settings) { settings.augmentation.colour_jitter = 1.5; }));
}

}  // namespace
}  // namespace ghostnet
