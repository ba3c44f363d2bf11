#pragma once

#include <optional>
#include <string>
#include <vector>

#include "engine/array.h"
#include "engine/network.h"
#include "model/infer.h"

namespace ghostnet {

/** What can be said of the arrays of a checkpoint without making a network of them. */
struct Inspection {
  std::optional<Architecture> architecture;  ///< nothing when the arrays are no GhostNet's
  std::string reason;                        ///< why there is none
  ParameterMismatch mismatch;                ///< against the architecture
  std::vector<std::string> not_finite;       ///< floating-point arrays with a NaN or an infinity
};

/** @param architecture inferred from the shapes when not given */
Inspection inspect(const NamedArrays& arrays, std::optional<Architecture> architecture);

}  // namespace ghostnet
