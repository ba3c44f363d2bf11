#pragma once

#include <variant>
#include <vector>

#include "kernels/cpu/ghost_module.h"

namespace ghostnet {

/** The weights of a node of the graph, packed; nothing for a node that has none. */
template <typename Value>
using PackedNode = std::variant<std::monostate, cpu::PackedProduct<Value>, cpu::PackedDepthwise<Value>,
                                cpu::PackedGhostModule<Value>, cpu::PackedRows>;

/** Those of a network, in the order of its nodes. */
template <typename Value>
using PackedNodes = std::vector<PackedNode<Value>>;

}  // namespace ghostnet
