#pragma once

#include <variant>
#include <vector>

#include "kernels/cpu/ghost_module.h"

namespace ghostnet {

/** The packed weights of a node of the graph; nothing for a node without weights. */
template <typename Value>
using PackedNode = std::variant<std::monostate, cpu::PackedProduct<Value>, cpu::PackedDepthwise<Value>,
                                cpu::PackedGhostModule<Value>, cpu::PackedRows>;

/** The packed weights of a network, in the order of its nodes. */
template <typename Value>
using PackedNodes = std::vector<PackedNode<Value>>;

}  // namespace ghostnet
