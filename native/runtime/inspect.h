#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/array.h"
#include "model/infer.h"
#include "runtime/network.h"

namespace ghostnet {

/** A description of the arrays of a checkpoint, made without building a network. */
struct Inspection {
  std::optional<Architecture> architecture;  ///< nothing if the arrays are not a GhostNet's
  std::string reason;                        ///< why there is no architecture
  ParameterMismatch mismatch;                ///< against the architecture
  std::vector<std::string> not_finite;       ///< floating-point arrays with NaN or infinite values
};

/** @param architecture inferred from the shapes if not given */
Inspection inspect(const NamedArrays& arrays, std::optional<Architecture> architecture);

}  // namespace ghostnet
