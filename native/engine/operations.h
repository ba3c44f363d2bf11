/**
 * From a graph to what engines compute: the gate on a ghost module's input and the sum with its output cost
 * no pass of their own.
 */
#pragma once

#include <optional>
#include <vector>

#include "model/graph.h"

namespace ghostnet {

/** A node, and the operations whose results it takes, by their numbers. */
struct Operation {
  size_t node;
  std::optional<size_t> input;     ///< none of the stem
  std::optional<size_t> gate;      ///< multiplies the input by channel; of ghost modules
  std::optional<size_t> residual;  ///< added to the output; of ghost modules
};

/**
 * The operations of a graph, each after those that it takes results of. Operations of which a row of output
 * takes a few rows of input come as early as they can, so that a chain of them is not interrupted.
 * @throws Error GHOSTNET_UNSUPPORTED_LAYER when something other than a ghost module has a gate or a sum
 */
std::vector<Operation> operations_of(const Graph& graph);

/** @throws Error GHOSTNET_UNSUPPORTED_LAYER: this engine has no step for the node */
[[noreturn]] void refuse_node(const Node& node, const char* engine);

}  // namespace ghostnet
