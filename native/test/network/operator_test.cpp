#include "operator/ghost_module_op.h"

#include <gtest/gtest.h>

#include "modules/ghost_module.h"
#include "runtime/fold.h"

namespace ghostnet {
namespace {

FoldedGhostModule random_weights(int64_t in, int64_t intrinsic, int64_t ratio, int64_t kernel,
                                 int64_t cheap) {
  const int64_t ghosts = intrinsic * (ratio - 1);
  return {torch::randn({intrinsic, in, kernel, kernel}), torch::randn({intrinsic}),
          torch::randn({ghosts, 1, cheap, cheap}), torch::randn({ghosts})};
}

TEST(GhostModuleOperator, CanBeRegisteredTwice) {
  register_operators();
  EXPECT_NO_THROW(register_operators());
}

// On the CPU, the shapes of the network use the fused pass, all others the reference.
TEST(GhostModuleOperator, EqualsTheReferenceOnTheCpu) {
  register_operators();
  torch::manual_seed(1);
  const torch::NoGradGuard no_grad;
  const auto random = [](int64_t low, int64_t high) {
    return torch::randint(low, high + 1, {1}).item<int64_t>();
  };
  for (int round = 0; round < 300; ++round) {
    const bool fused = random(0, 3) > 0;
    const int64_t intrinsic = random(1, 40);
    const int64_t ratio = fused ? 2 : random(2, 4);
    const FoldedGhostModule w = random_weights(random(1, 50), intrinsic, ratio,
                                               fused ? 1 : 2 * random(0, 2) + 1, 2 * random(0, 3) + 1);
    const int64_t out = random(fused ? intrinsic : 1, intrinsic * ratio);
    const int64_t stride = fused ? 1 : random(1, 3);
    const bool relu = random(0, 1) == 1;
    torch::Tensor x = torch::randn({random(1, 3), w.primary_weight.size(1), random(1, 40), random(1, 20)});
    if (random(0, 1) == 1) x = x.contiguous(at::MemoryFormat::ChannelsLast);
    const torch::Tensor expected = ghost_module_reference({x, w, out, stride, relu});
    const torch::Tensor actual = ghost_module({x, w, out, stride, relu});
    ASSERT_EQ(actual.sizes(), expected.sizes());
    ASSERT_TRUE(actual.is_contiguous());
    ASSERT_LE((actual - expected).abs().max().item<double>(), 1e-5 * expected.abs().max().item<double>())
        << "round " << round;
  }
}

TEST(GhostModuleOperator, TakesOtherDtypesToTheReference) {
  register_operators();
  const torch::NoGradGuard no_grad;
  FoldedGhostModule w = random_weights(6, 5, 2, 1, 3);
  for (torch::Tensor* tensor : {&w.primary_weight, &w.primary_bias, &w.cheap_weight, &w.cheap_bias}) {
    *tensor = tensor->to(torch::kFloat64);
  }
  const torch::Tensor x = torch::randn({1, 6, 5, 5}, torch::kFloat64);
  EXPECT_TRUE(ghost_module({x, w, 10, 1, true}).equal(ghost_module_reference({x, w, 10, 1, true})));
}

TEST(GhostModuleOperator, MetaGivesTheShapeThatTheReferenceHas) {
  register_operators();
  const torch::NoGradGuard no_grad;
  for (const int64_t kernel : {1, 3, 5}) {
    for (const int64_t stride : {1, 2, 3}) {
      const FoldedGhostModule w = random_weights(4, 3, 2, kernel, 3);
      const torch::Tensor x = torch::randn({2, 4, 11, 6});
      const FoldedGhostModule meta = {w.primary_weight.to(torch::kMeta), w.primary_bias.to(torch::kMeta),
                                      w.cheap_weight.to(torch::kMeta), w.cheap_bias.to(torch::kMeta)};
      EXPECT_EQ(ghost_module({x.to(torch::kMeta), meta, 5, stride, true}).sizes(),
                ghost_module({x, w, 5, stride, true}).sizes());
    }
  }
}

TEST(GhostModuleOperator, RefusesWhatDoesNotFit) {
  const FoldedGhostModule w = random_weights(4, 3, 2, 1, 3);
  const auto run = [&](const torch::Tensor& x, int64_t out, int64_t stride) {
    return ghost_module_reference({x, w, out, stride, true});
  };
  EXPECT_THROW(run(torch::zeros({1, 5, 8, 8}), 6, 1), c10::ValueError);  // channels
  EXPECT_THROW(run(torch::zeros({4, 8, 8}), 6, 1), c10::ValueError);     // rank
  EXPECT_THROW(run(torch::zeros({1, 4, 8, 8}), 7, 1), c10::ValueError);  // more channels than there are
  EXPECT_THROW(run(torch::zeros({1, 4, 8, 8}), 6, 0), c10::ValueError);  // stride
}

TEST(FoldBatchNorm, GivesTheConvolutionThatTheModuleComputes) {
  torch::manual_seed(2);
  const torch::NoGradGuard no_grad;
  GhostModule module(8, 12);
  for (auto& buffer : module->buffers()) {
    if (buffer.is_floating_point()) buffer.uniform_(0.5, 2);
  }
  for (auto& parameter : module->parameters()) parameter.normal_();
  module->eval();
  const auto parameters = module->named_parameters();
  const auto buffers = module->named_buffers();
  const auto fold = [&](const std::string& name) {
    return fold_batch_norm(parameters[name + ".0.weight"], parameters[name + ".1.weight"],
                           parameters[name + ".1.bias"], buffers[name + ".1.running_mean"],
                           buffers[name + ".1.running_var"]);
  };
  const FoldedTensors primary = fold("primary_conv");
  const FoldedTensors cheap = fold("cheap_operation");
  const torch::Tensor x = torch::randn({2, 8, 6, 5});
  const torch::Tensor folded =
      ghost_module_reference({x, {primary.weight, primary.bias, cheap.weight, cheap.bias}, 12, 1, true});
  EXPECT_TRUE(torch::allclose(folded, module(x), 1e-4, 1e-5));
}

}  // namespace
}  // namespace ghostnet
