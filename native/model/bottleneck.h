/**
 * The bottleneck of GhostNet, in all generations and forms: its nodes, and its row of the stage table
 * inferred from the shapes of a checkpoint. Both are here, so that, apart from the modules, the names of its
 * parts are written in one place.
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
 * Two ghost modules, a strided depthwise convolution and squeeze-and-excitation between them if the row
 * has them, and a shortcut. See modules/ghost_bottleneck.h.
 * @return the node of the sum
 */
size_t add_bottleneck(GraphBuilder& builder, const std::string& name, const BlockSpec& block, size_t x);

/** A bottleneck as inferred from its shapes, with channel counts not divided by the width. */
struct SeenBlock {
  int64_t middle, out;
  std::optional<int64_t> kernel;   ///< nothing if no shape depends on it
  std::optional<int64_t> reduced;  ///< channels of squeeze-and-excitation
  int64_t stride;
  bool attention;

  /** Whether some row of the stage table has these shapes. */
  bool fits(const Architecture& architecture, const BlockSpec& block) const;
  /** A row with these shapes. @param architecture its width divides the channels */
  BlockSpec row(const Architecture& architecture) const;
};

/**
 * @return nothing if there is no block with this name
 * @throws Error GHOSTNET_PARAMETERS_MISMATCH if a part is missing, or its shape is not that of a convolution
 */
std::optional<SeenBlock> see_bottleneck(const Shapes& shapes, Design design, Form form,
                                        const std::string& name);

/** The batch normalisation in the head of the first code. */
inline constexpr const char* kHeadNorm = "bn2";

/** The design that the names show. */
Design see_design(const Shapes& shapes);

/** The form that the names of the first ghost module show. */
Form see_form(const Shapes& shapes);

/** One dimension of an array, which must exist. @throws Error GHOSTNET_PARAMETERS_MISMATCH */
int64_t size_in(const Shapes& shapes, const std::string& name, size_t axis, size_t rank);

/** @throws Error GHOSTNET_PARAMETERS_MISMATCH */
[[noreturn]] void refuse_shapes(const std::string& found);

}  // namespace ghostnet
