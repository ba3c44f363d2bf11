/**
 * The named networks: stage tables that were published, at widths in hundredths.
 *
 * Source: arXiv 1911.11907, table 1; the code of GhostNetV2 and V3, which share its rows; arXiv 2211.06088,
 * table 1 (RepGhost).
 */
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "model/architecture.h"

namespace ghostnet {

/** A published network at any width. */
struct Generation {
  std::string_view prefix;  ///< of its variants' names, e.g. "ghostnetv2_"
  const StageTable& stages;
  Design design;
  std::vector<Form> forms;     ///< of its weights; the first is that of a new network
  std::vector<double> widths;  ///< those with published weights or in the papers, narrowest first

  Architecture at(double width) const;
};

/** GhostNet, GhostNetV2, GhostNetV3, RepGhost, the first code of GhostNet. */
const std::vector<Generation>& generations();

/** The stage table of GhostNet V1: 16 bottlenecks in 9 stages. */
const StageTable& ghostnet_v1_stages();

/** The rows of V1, all but the first two with attention: GhostNetV2 and V3. */
const StageTable& ghostnet_v2_stages();

/** The rows of RepGhost: those of V1 with half the channels between the modules, but for two of them. */
const StageTable& repghost_stages();

/** The names of the networks at their usual widths, e.g. "ghostnetv2_130". */
std::vector<std::string> variant_names();

/**
 * The name of a network with this stage table, form and width, e.g. "ghostnet_100". Any other width of the
 * same table has a name of the same form; the name of any other stage table is "custom".
 */
std::string variant_name(const Architecture& architecture);

/**
 * The architecture of a variant's name: a prefix and the width in hundredths, with at least three digits.
 * @return nothing if the name has another form
 */
std::optional<Architecture> find_variant(std::string_view name);

}  // namespace ghostnet
