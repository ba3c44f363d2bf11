#include "engine/operations.h"

#include <algorithm>

#include "base/error.h"

namespace ghostnet {

namespace {

/** The result of a node: that of an operation, to be multiplied by a gate when it is read. */
struct Value {
  std::optional<size_t> operation, gate;
};

// Gates and sums become part of the adjacent ghost modules. The operations are in the order of their nodes.
std::vector<Operation> fused(const Graph& graph) {
  std::vector<Operation> operations;
  std::vector<Value> values;
  for (const Node& node : graph.nodes) {
    const auto input = [&](size_t index) { return values[node.inputs[index]]; };
    if (node.kind == NodeKind::scale) {
      values.push_back({input(0).operation, input(1).operation});
      continue;
    }
    if (node.kind == NodeKind::add) {
      Operation& sum = operations[*input(0).operation];
      if (graph.nodes[sum.node].kind != NodeKind::ghost_module || sum.residual)
        refuse_node(node, "fused engine");
      sum.residual = input(1).operation;
      values.push_back(input(0));
      continue;
    }
    const Value taken = node.inputs.empty() ? Value{} : input(0);
    if (taken.gate && node.kind != NodeKind::ghost_module) refuse_node(node, "fused engine");
    values.push_back({operations.size(), {}});
    operations.push_back({values.size() - 1, taken.operation, taken.gate, {}});
  }
  return operations;
}

bool works_by_rows(NodeKind kind) {
  switch (kind) {
    case NodeKind::stem:
    case NodeKind::ghost_module:
    case NodeKind::depthwise:
    case NodeKind::pointwise:
      return true;
    case NodeKind::mean:
    case NodeKind::dense:
    case NodeKind::scale:
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
           is_there(operation.residual);
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
    ordered.push_back(
        {operation.node, place_of(operation.input), place_of(operation.gate), place_of(operation.residual)});
  }
  return ordered;
}

void refuse_node(const Node& node, const char* engine) {
  throw Error(ErrorCode::GHOSTNET_UNSUPPORTED_LAYER,
              std::string("The ") + engine + " cannot compute this network", node.name,
              "the backend reference");
}

}  // namespace ghostnet
