#include "modules/ghostnet.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "model/layers.h"
#include "model/variant.h"
#include "modules/ghost_module.h"
#include "modules/squeeze_excite.h"

namespace ghostnet {
namespace {

Architecture small_architecture() {
  Architecture architecture;
  architecture.stages = {{{3, 16, 16, 0, 1}}, {{5, 48, 24, 0.25, 2}}};
  architecture.width = 0.5;
  architecture.num_classes = 3;
  architecture.dropout = 0;
  return architecture;
}

torch::Tensor wave(const std::vector<int64_t>& shape) {
  const int64_t size = std::accumulate(shape.begin(), shape.end(), int64_t{1}, std::multiplies<>());
  return torch::sin(torch::arange(size, torch::kFloat64) * 0.37).to(torch::kFloat32).view(shape);
}

double l2(const torch::Tensor& tensor) { return tensor.to(torch::kFloat64).norm().item<double>(); }

// The expected numbers are the reference's (PyTorch 2.13) after torch.manual_seed(5) with the same input and
// loss.
TEST(GhostNetTraining, LogitsGradientsAndStatisticsAreThoseOfTheReference) {
  GhostNet net = make_ghostnet(small_architecture(), 5);
  net->train();
  const torch::Tensor x = wave({2, 3, 40, 36});
  const torch::Tensor y = net(x);
  const torch::Tensor expected =
      torch::tensor({0.0069801, 0.1194651, -0.0658026, 0.0268179, 0.0999511, -0.0789899}).view({2, 3});
  EXPECT_TRUE(torch::allclose(y, expected.to(torch::kFloat32), 1e-4, 1e-6)) << y;

  (y * y).sum().backward();
  const std::map<std::string, double> gradients = {
      {"conv_stem.weight", 1.1464456e-01},
      {"bn1.weight", 1.1903059e-02},
      {"blocks.1.0.ghost1.cheap_operation.0.weight", 1.3311748e-02},
      {"blocks.1.0.se.conv_reduce.bias", 2.3820822e-04},
      {"classifier.weight", 3.5040300e+00},
  };
  const auto parameters = net->named_parameters();
  for (const auto& [name, expected_norm] : gradients) {
    EXPECT_NEAR(l2(parameters[name].grad()), expected_norm, expected_norm * 1e-3) << name;
  }
  const auto buffers = net->named_buffers();
  EXPECT_NEAR(l2(buffers["bn1.running_mean"]), 1.1596743e-04, 1e-8);
  EXPECT_NEAR(l2(buffers["blocks.1.0.bn_dw.running_var"]), 4.4706816, 1e-5);
  EXPECT_EQ(buffers["bn1.num_batches_tracked"].item<int64_t>(), 1);

  net->eval();
  const torch::Tensor evaluated =
      torch::tensor({-0.0213903, -0.0054079, -0.0381197, -0.0218515, -0.0064244, -0.0374592});
  EXPECT_TRUE(torch::allclose(net(x).flatten(), evaluated.to(torch::kFloat32), 1e-4, 1e-6));
}

struct TrainingCase {
  Form form;
  std::vector<double> logits;               ///< of two images, three classes
  std::map<std::string, double> gradients;  ///< L2 norms
  double variance;                          ///< L2 norm of a running variance of the attention
};

class Training : public testing::TestWithParam<TrainingCase> {};

// The expected numbers are those of timm 1.0.31 (PyTorch 2.13) after torch.manual_seed(5) with the same input
// and loss.
TEST_P(Training, LogitsAndGradientsOfAnAttentionAreThoseOfTimm) {
  Architecture architecture = small_architecture();
  architecture.stages = {{{3, 16, 16, 0, 1}}, {{3, 48, 24, 0, 2}}, {{5, 72, 40, 0.25, 2, true}}};
  architecture.form = GetParam().form;
  GhostNet net = make_ghostnet(architecture, 5);
  net->train();
  const torch::Tensor y = net(wave({2, 3, 40, 36}));
  const torch::Tensor expected = torch::tensor(GetParam().logits).view({2, 3}).to(torch::kFloat32);
  EXPECT_TRUE(torch::allclose(y, expected, 1e-4, 1e-6)) << y;

  (y * y).sum().backward();
  const auto parameters = net->named_parameters();
  for (const auto& [name, norm] : GetParam().gradients) {
    EXPECT_NEAR(l2(parameters[name].grad()), norm, norm * 2e-3) << name;
  }
  EXPECT_NEAR(l2(net->named_buffers()["blocks.2.0.ghost1.short_conv.1.running_var"]), GetParam().variance,
              1e-5);
}

INSTANTIATE_TEST_SUITE_P(
    Forms, Training,
    testing::Values(
        TrainingCase{.form = Form::norms,
                     .logits = {-0.0186489, 0.0141559, -0.1789808, -0.0039737, 0.0633987, -0.2727281},
                     .gradients = {{"conv_stem.weight", 6.1272773e-01},
                                   {"blocks.2.0.ghost1.short_conv.0.weight", 2.6325189e-02},
                                   {"blocks.2.0.ghost1.short_conv.4.weight", 1.4000115e-02},
                                   {"blocks.2.0.ghost1.short_conv.5.bias", 1.2150344e-03},
                                   {"blocks.2.0.ghost1.primary_conv.0.weight", 6.6766441e-02},
                                   {"blocks.2.0.conv_dw.weight", 7.5218350e-02}},
                     .variance = 5.505226091307691},
        TrainingCase{.form = Form::branches,
                     .logits = {0.0183395, 0.1531398, 0.2950115, 0.0246967, 0.0871213, 0.1902794},
                     .gradients = {{"conv_stem.weight", 1.1244472e+00},
                                   {"blocks.2.0.ghost1.short_conv.0.weight", 4.7670960e-02},
                                   {"blocks.2.0.ghost1.short_conv.4.weight", 3.5954478e-02},
                                   {"blocks.2.0.ghost1.short_conv.5.bias", 3.2531835e-03},
                                   {"blocks.2.0.ghost1.primary_rpr_conv.1.conv.weight", 7.7861280e-02},
                                   {"blocks.2.0.ghost1.cheap_rpr_skip.weight", 6.3771499e-03},
                                   {"blocks.1.0.dw_rpr_conv.2.conv.weight", 9.1722407e-02},
                                   {"blocks.1.0.dw_rpr_scale.bn1.weight", 1.3890534e-02}},
                     .variance = 5.5740630313284525}),
    [](const auto& info) { return std::string(name_of(info.param.form)); });

TEST(GhostNetTraining, DropoutActsOnlyWhileTraining) {
  Architecture architecture = small_architecture();
  architecture.dropout = 0.5;
  GhostNet net = make_ghostnet(architecture, 5);
  const torch::NoGradGuard no_grad;
  const torch::Tensor features = torch::ones({1, kFeatureChannels});
  EXPECT_TRUE(net->classify(features).equal(net->classify(features)));
  net->train();
  EXPECT_FALSE(net->classify(features).equal(net->classify(features)));
}

TEST(GhostNet, IsMadeInEvaluationMode) {
  EXPECT_FALSE(make_ghostnet(small_architecture(), 1)->is_training());
}

TEST(GhostNet, MakingOneLeavesTheRandomStateOfTheProcess) {
  torch::manual_seed(11);
  const torch::Tensor undisturbed = torch::rand({4});
  torch::manual_seed(11);
  make_ghostnet(small_architecture(), 5);
  EXPECT_TRUE(torch::rand({4}).equal(undisturbed));
}

class Layers : public testing::TestWithParam<double> {};

TEST_P(Layers, NameTheParametersOfTheModules) {
  Architecture architecture;
  architecture.stages = ghostnet_v1_stages();
  architecture.width = GetParam();
  architecture.num_classes = 5;
  GhostNet net = make_ghostnet(architecture, 1);
  std::map<std::string, std::vector<int64_t>> modules;
  for (const auto& item : net->named_parameters()) modules[item.key()] = item.value().sizes().vec();
  for (const auto& item : net->named_buffers()) modules[item.key()] = item.value().sizes().vec();
  std::map<std::string, std::vector<int64_t>> layers;
  for (const Layer& layer : describe_layers(architecture, 224, 224)) {
    for (const ParameterSpec& parameter : layer.parameters) {
      EXPECT_TRUE(layers.emplace(parameter.name, parameter.shape).second) << parameter.name;
    }
  }
  EXPECT_EQ(layers, modules);
}

INSTANTIATE_TEST_SUITE_P(Widths, Layers, testing::Values(0.1, 0.5, 1.0, 1.3));

TEST(Layers, StateTheShapesThatTheModulesGive) {
  const Architecture architecture = small_architecture();
  GhostNet net = make_ghostnet(architecture, 1);
  const torch::NoGradGuard no_grad;
  for (const auto& [height, width] : {std::pair<int64_t, int64_t>{32, 32}, {47, 61}, {40, 33}}) {
    const torch::Tensor blocks =
        net->blocks->forward(torch::relu(net->bn1(net->conv_stem(torch::zeros({1, 3, height, width})))));
    for (const Layer& layer : describe_layers(architecture, height, width)) {
      if (layer.name != "blocks.2.0.act1") continue;
      EXPECT_EQ(blocks.sizes().slice(1).vec(),
                std::vector<int64_t>(layer.output.begin(), layer.output.end()));
    }
  }
}

TEST(SqueezeExcite, TakesItsOptions) {
  SqueezeExciteOptions options;
  options.reduced = 8;
  options.activation = [](const torch::Tensor& x) { return torch::silu(x); };
  options.gate = [](const torch::Tensor& x) { return torch::sigmoid(x); };
  SqueezeExcite se(20, options);
  EXPECT_EQ(se->conv_reduce->weight.size(0), 8);  // make_divisible(12 * 0.5, 8)
  const torch::NoGradGuard no_grad;
  const torch::Tensor x = wave({2, 20, 3, 5});
  const torch::Tensor mean = x.mean({2, 3}, true);
  const torch::Tensor gate = torch::sigmoid(se->conv_expand(torch::silu(se->conv_reduce(mean))));
  EXPECT_TRUE(torch::allclose(se(x), x * gate, 1e-5, 1e-6));
}

TEST(HardSigmoid, IsRelu6OfXPlus3Over6) {
  const torch::Tensor x = torch::tensor({-4.f, -3.f, -1.5f, 0.f, 1.5f, 3.f, 4.f});
  EXPECT_TRUE(torch::allclose(hard_sigmoid(x), torch::tensor({0.f, 0.f, 0.25f, 0.5f, 0.75f, 1.f, 1.f})));
}

TEST(GhostModule, CutsToTheChannelsAskedForAndTakesItsOptions) {
  GhostModuleOptions options;
  options.kernel_size = 3;
  options.ratio = 3;
  options.dw_size = 5;
  options.stride = 2;
  options.relu = false;
  GhostModule module(6, 10, options);
  EXPECT_EQ(module->named_parameters()["primary_conv.0.weight"].sizes(), (std::vector<int64_t>{4, 6, 3, 3}));
  EXPECT_EQ(module->named_parameters()["cheap_operation.0.weight"].sizes(),
            (std::vector<int64_t>{8, 1, 5, 5}));
  const torch::NoGradGuard no_grad;
  const torch::Tensor y = module(wave({1, 6, 9, 8}));
  EXPECT_EQ(y.sizes(), (std::vector<int64_t>{1, 10, 5, 4}));
  EXPECT_LT(y.min().item<float>(), 0);  // no ReLU
}

TEST(MakeDivisible, FollowsTheReference) {
  EXPECT_EQ(make_divisible(16 * 0.5, 4), 8);
  EXPECT_EQ(make_divisible(24 * 1.3, 4), 32);  // 31.2: the nearest multiple
  EXPECT_EQ(make_divisible(1, 4), 4);          // never below the divisor
  EXPECT_EQ(make_divisible(5.9, 4), 8);        // 4 would be more than 10 % below
  EXPECT_EQ(make_divisible(2, 4, 8), 8);
}

}  // namespace
}  // namespace ghostnet
