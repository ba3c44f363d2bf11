#pragma once

#include <optional>
#include <string>

#include "model/infer.h"

namespace ghostnet {

/** A description of the arrays of a checkpoint, made without building a network. */
struct Inspection {
  std::optional<Architecture> architecture;  ///< nothing if the arrays are not a GhostNet's
  std::string reason;                        ///< why there is no architecture
  ParameterMismatch mismatch;                ///< against the architecture
};

/** @param architecture inferred from the shapes if not given */
Inspection inspect(const Shapes& shapes, std::optional<Architecture> architecture);

}  // namespace ghostnet
