/**
 * The bottleneck of GhostNet V1: its nodes, and the way back from the shapes of a checkpoint to a row of the
 * stage table. The two stand together, so that the names of its parts are written in one place beside the
 * modules.
 */
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "model/graph_builder.h"

namespace ghostnet {

using Shapes = std::map<std::string, std::vector<int64_t>>;

/** "blocks.3.0" */
std::string block_name(size_t stage, size_t row);

/**
 * Two ghost modules, a strided depthwise convolution and squeeze-and-excitation between them where the row
 * asks for it, and a shortcut. See modules/ghost_bottleneck.h.
 * @return the node of the sum
 */
size_t add_bottleneck(GraphBuilder& builder, const std::string& name, const BlockSpec& block, size_t x);

/** A bottleneck as its shapes show it, channels as they are, not divided by a width. */
struct SeenBlock {
  int64_t middle, out;
  std::optional<int64_t> kernel;   ///< nothing where no shape depends on it
  std::optional<int64_t> reduced;  ///< channels of squeeze-and-excitation
  int64_t stride;

  /** Whether a row of the stage table gives these shapes. */
  bool fits(const Architecture& architecture, const BlockSpec& block) const;
  /** A row that gives them. @param width by which the channels are divided */
  BlockSpec row(double width) const;
};

/**
 * @return nothing where there is no block of this name
 * @throws Error GHOSTNET_PARAMETERS_MISMATCH when it lacks a part, or a part has no shape of a convolution
 */
std::optional<SeenBlock> see_bottleneck(const Shapes& shapes, const std::string& name);

/** One size of an array that must be there. @throws Error GHOSTNET_PARAMETERS_MISMATCH */
int64_t size_in(const Shapes& shapes, const std::string& name, size_t axis, size_t rank);

/** @throws Error GHOSTNET_PARAMETERS_MISMATCH */
[[noreturn]] void refuse_shapes(const std::string& found);

}  // namespace ghostnet
