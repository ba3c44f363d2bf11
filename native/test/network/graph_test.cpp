#include "model/graph.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>

#include "base/error.h"
#include "engine/operations.h"
#include "model/bottleneck.h"
#include "model/layers.h"
#include "modules/conv_bn_act.h"
#include "modules/ghost_bottleneck.h"
#include "network_cases.h"

namespace ghostnet {
namespace {

using Named = std::vector<std::pair<std::string, std::vector<int64_t>>>;

// In the order of the network.
Named parameters_of(const Architecture& architecture, bool trainable) {
  Named parameters;
  const int64_t side = least_side(architecture);
  for (const Layer& layer : describe_layers(architecture, side, side)) {
    for (const ParameterSpec& parameter : layer.parameters) {
      if (parameter.trainable == trainable) parameters.emplace_back(parameter.name, parameter.shape);
    }
  }
  return parameters;
}

Named named(const torch::OrderedDict<std::string, torch::Tensor>& tensors) {
  Named parameters;
  for (const auto& item : tensors) parameters.emplace_back(item.key(), item.value().sizes().vec());
  return parameters;
}

TEST(Graph, HasTheParametersOfTheModulesInTheirOrder) {
  for (uint64_t seed = 0; seed < 100; ++seed) {
    Random random(seed);
    const Architecture architecture = random_architecture(random);
    const GhostNet net(architecture);
    ASSERT_EQ(parameters_of(architecture, true), named(net->named_parameters())) << "seed " << seed;
    ASSERT_EQ(parameters_of(architecture, false), named(net->named_buffers())) << "seed " << seed;
  }
}

// The sizes of the outputs of the modules, by name.
std::map<std::string, std::vector<int64_t>> outputs_of(GhostNet& net, int64_t height, int64_t width) {
  std::map<std::string, std::vector<int64_t>> outputs;
  const auto note = [&](const std::string& name, const torch::Tensor& x) {
    outputs[name] = x.sizes().slice(1).vec();
    outputs[name].resize(3, 1);
    return x;
  };
  torch::Tensor x = note("conv_stem", net->conv_stem(torch::zeros({1, 3, height, width})));
  for (const auto& item : net->named_modules()) {
    if (auto* const block = item.value()->as<GhostBottleneckImpl>()) {
      torch::Tensor y = note(item.key() + ".ghost1", block->ghost1->forward(x));
      const torch::Tensor strided = block->strided(y);
      if (!strided.is_same(y)) y = note(item.key() + ".conv_dw", strided);
      if (block->se) y = note(item.key() + ".se", block->se(y));
      note(item.key() + ".ghost2", block->ghost2->forward(y));
      if (block->shortcut) note(item.key() + ".shortcut.2", block->shortcut->forward(x));
      x = note(item.key(), block->forward(x));
    } else if (item.key() == block_name(net->architecture().stages.size(), 0)) {
      auto* const last = item.value()->as<ConvBnActImpl>();
      x = note(item.key() + ".conv", last->forward(x));
    }
  }
  const torch::Tensor image = torch::zeros({1, 3, height, width});
  note("conv_head", net->features(image));
  note("classifier", net->forward(image));
  return outputs;
}

TEST(Graph, StatesTheShapesThatTheModulesGive) {
  const torch::NoGradGuard no_grad;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    Random random(seed + 500);
    GhostNet net(random_architecture(random));
    const int64_t least = least_side(net->architecture());
    const int64_t height = random.between(least, 80), width = random.between(least, 80);
    auto outputs = outputs_of(net, height, width);
    const Graph graph = make_graph(net->architecture(), height, width);
    for (const Node& node : graph.nodes) {
      const auto found = outputs.find(node.name);
      if (found == outputs.end()) continue;
      const std::vector<int64_t> shape = {node.output.channels, node.output.height, node.output.width};
      ASSERT_EQ(shape, found->second) << "seed " << seed << " " << node.name;
      outputs.erase(found);
    }
    ASSERT_TRUE(outputs.empty()) << "seed " << seed << ": no node " << outputs.begin()->first;
    EXPECT_EQ(graph.nodes[graph.features].name, "conv_head");
    EXPECT_EQ(graph.nodes.back().name, "classifier");
  }
}

TEST(Graph, HasEachNodeAfterItsInputs) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Random random(seed);
    const Graph graph = make_graph(random_architecture(random));
    for (size_t index = 0; index < graph.nodes.size(); ++index) {
      for (const size_t input : graph.nodes[index].inputs) EXPECT_LT(input, index);
    }
  }
}

TEST(Operations, TakeGatesAndSumsIntoGhostModulesAndKeepRowsTogether) {
  Architecture architecture;
  architecture.stages = {{{3, 16, 16, 0.25, 2}}};
  const Graph graph = make_graph(architecture);
  std::vector<std::string> names;
  for (const Operation& operation : operations_of(graph)) names.push_back(graph.nodes[operation.node].name);
  const std::string block = "blocks.0.0.";
  EXPECT_EQ(names,
            (std::vector<std::string>{"conv_stem", block + "ghost1", block + "conv_dw", block + "shortcut.0",
                                      block + "shortcut.2", block + "se.avg_pool", block + "se.conv_reduce",
                                      block + "se.conv_expand", block + "ghost2", "blocks.1.0.conv",
                                      "global_pool", "conv_head", "classifier"}));
  const Operation ghost2 = operations_of(graph)[8];
  EXPECT_EQ(ghost2.input, 2);
  EXPECT_EQ(ghost2.gate, 7);
  EXPECT_EQ(ghost2.residual, 4);
}

ErrorCode refusal_of(const std::function<void()>& work) {
  try {
    work();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::GHOSTNET_INTERNAL;
}

// Each change makes a network that would be computed wrong if its nodes were taken as they are.
TEST(Operations, RefuseWhatNoEngineComputes) {
  Architecture architecture;
  architecture.stages = {{{3, 16, 16, 0.25, 2}}};
  const auto node = [](Graph& graph, const std::string& name) -> Node& {
    return *std::ranges::find(graph.nodes, name, &Node::name);
  };
  const auto number = [](const Graph& graph, const std::string& name) {
    return static_cast<size_t>(std::ranges::find(graph.nodes, name, &Node::name) - graph.nodes.begin());
  };
  const std::string block = "blocks.0.0.";
  const std::map<std::string, std::function<void(Graph&)>> changes = {
      {"a gate on a convolution", [&](Graph& g) { node(g, block + "ghost2").kind = NodeKind::pointwise; }},
      {"a sum with a convolution",
       [&](Graph& g) { g.nodes.push_back({NodeKind::add, "sum", {0, 0}, {}, g.nodes[0].output}); }},
      {"a sum of a module that others read",
       [&](Graph& g) { node(g, block + "shortcut.0").inputs = {number(g, block + "ghost2")}; }},
      {"a gated residual", [&](Graph& g) { node(g, "blocks.0.0").inputs[1] = number(g, block + "se"); }},
      {"a gate of a gate",
       [&](Graph& g) {
         const size_t gate = number(g, block + "se.conv_expand"), gated = number(g, block + "se");
         g.nodes.push_back({NodeKind::scale, "again", {gated, gate}, {}, g.nodes[gated].output});
       }},
      {"a hard sigmoid behind a convolution",
       [&](Graph& g) { node(g, block + "conv_dw").convolutions[0].activation = Activation::hard_sigmoid; }},
      {"a module that rectifies half of its output",
       [&](Graph& g) { node(g, block + "ghost2").convolutions[1].activation = Activation::relu; }},
  };
  const Graph graph = make_graph(architecture);
  EXPECT_NO_THROW(operations_of(graph));
  for (const auto& [what, change] : changes) {
    Graph changed = graph;
    change(changed);
    EXPECT_EQ(refusal_of([&] { operations_of(changed); }), ErrorCode::GHOSTNET_UNSUPPORTED_LAYER) << what;
  }
}

}  // namespace
}  // namespace ghostnet
