#include "engine/operations.h"

#include <algorithm>

#include "base/error.h"

namespace ghostnet {

namespace {

/** The result of a node: that of an operation, to be multiplied by a gate when it is read. */
struct Value {
  std::optional<size_t> operation, gate;
};

std::vector<int> readers_of(const Graph& graph) {
  std::vector<int> readers(graph.nodes.size());
  for (const Node& node : graph.nodes) {
    for (const size_t input : node.inputs) ++readers[input];
  }
  return readers;
}

// Engines rectify; the other activations they compute behind some kinds of layers only.
bool has_known_activations(const Node& node) {
  const auto is_known = [&](const Convolution& convolution) {
    if (convolution.activation == Activation::sigmoid) return node.kind == NodeKind::depthwise;
    return (convolution.activation == Activation::none || convolution.relu()) &&
           convolution.relu() == node.convolutions[0].relu();
  };
  return node.kind == NodeKind::dense || std::ranges::all_of(node.convolutions, is_known);
}

bool is_module(const Node& node) {
  return node.kind == NodeKind::ghost_module || node.kind == NodeKind::separable;
}

// Gates, attentions and sums become part of the adjacent ghost modules. The operations are in the order of
// their nodes.
std::vector<Operation> fused(const Graph& graph) {
  const std::vector<int> readers = readers_of(graph);
  std::vector<Operation> operations;
  std::vector<Value> values;
  for (const Node& node : graph.nodes) {
    const auto require = [&](bool supported) {
      if (!supported) refuse_node(node, "fused engine");
    };
    const auto input = [&](size_t index) { return values[node.inputs[index]]; };
    require(has_known_activations(node));
    if (node.kind == NodeKind::scale) {
      require(!input(0).gate && !input(1).gate);
      values.push_back({input(0).operation, input(1).operation});
    } else if (node.kind == NodeKind::attend) {
      Operation& module = operations[*input(0).operation];
      require(is_module(graph.nodes[node.inputs[0]]) && readers[node.inputs[0]] == 1 && !input(1).gate);
      module.attention = input(1).operation;
      values.push_back(input(0));
    } else if (node.kind == NodeKind::add) {
      // The sum takes the place of the module's own result, so nothing else may read that.
      Operation& sum = operations[*input(0).operation];
      require(is_module(graph.nodes[node.inputs[0]]) && readers[node.inputs[0]] == 1 && !input(1).gate);
      sum.residual = input(1).operation;
      values.push_back(input(0));
    } else {
      const Value taken = node.inputs.empty() ? Value{} : input(0);
      require(!taken.gate || is_module(node));
      operations.push_back({values.size(), taken.operation, taken.gate, {}, {}});
      values.push_back({operations.size() - 1, {}});
    }
  }
  return operations;
}

bool works_by_rows(NodeKind kind) {
  switch (kind) {
    case NodeKind::stem:
    case NodeKind::ghost_module:
    case NodeKind::separable:
    case NodeKind::depthwise:
    case NodeKind::pointwise:
    case NodeKind::halve:
      return true;
    case NodeKind::mean:
    case NodeKind::dense:
    case NodeKind::scale:
    case NodeKind::attend:
    case NodeKind::add:
      break;
  }
  return false;
}

}  // namespace

std::vector<Operation> operations_of(const Graph& graph) {
  const std::vector<Operation> found = fused(graph);
  std::vector<Operation> ordered;
  std::vector<std::optional<size_t>> places(found.size());
  const auto is_ready = [&](size_t index) {
    const auto is_there = [&](std::optional<size_t> taken) { return !taken || places[*taken]; };
    const Operation& operation = found[index];
    return !places[index] && is_there(operation.input) && is_there(operation.gate) &&
           is_there(operation.attention) && is_there(operation.residual);
  };
  while (ordered.size() < found.size()) {
    std::optional<size_t> next;
    for (size_t index = 0; index < found.size(); ++index) {
      if (!is_ready(index)) continue;
      if (!next) next = index;
      if (!works_by_rows(graph.nodes[found[index].node].kind)) continue;
      next = index;
      break;
    }
    const auto place_of = [&](std::optional<size_t> taken) { return taken ? places[*taken] : taken; };
    const Operation& operation = found[*next];
    places[*next] = ordered.size();
    ordered.push_back({operation.node, place_of(operation.input), place_of(operation.gate),
                       place_of(operation.attention), place_of(operation.residual)});
  }
  return ordered;
}

void refuse_node(const Node& node, const char* engine) {
  throw Error(ErrorCode::GHOSTNET_UNSUPPORTED_LAYER,
              std::string("The ") + engine + " cannot compute this network", node.name,
              "the backend reference");
}

}  // namespace ghostnet
