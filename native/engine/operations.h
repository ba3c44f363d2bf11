/**
 * Turns a graph into the operations of the engines: the gate on the input of a ghost module, the attention on
 * its output and the sum with its output need no separate pass.
 */
#pragma once

#include <optional>
#include <vector>

#include "model/graph.h"

namespace ghostnet {

/** A node, and the numbers of the operations whose results it reads. */
struct Operation {
  size_t node;
  std::optional<size_t> input;      ///< none for the stem
  std::optional<size_t> gate;       ///< multiplies the input by channel; ghost modules only
  std::optional<size_t> attention;  ///< multiplies the output by the nearest pixel; ghost modules only
  std::optional<size_t> residual;   ///< added to the output; ghost modules only
};

/**
 * The operations of a graph, each after those whose results it reads. An operation whose output row depends
 * on a few input rows comes as early as possible, so that a chain of such operations is not interrupted.
 * @throws Error GHOSTNET_UNSUPPORTED_LAYER if no engine computes a node where it stands
 */
std::vector<Operation> operations_of(const Graph& graph);

/** @throws Error GHOSTNET_UNSUPPORTED_LAYER: this engine has no step for the node */
[[noreturn]] void refuse_node(const Node& node, const char* engine);

}  // namespace ghostnet
