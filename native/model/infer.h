/**
 * From the names and shapes of a checkpoint's arrays to the architecture that has them. Free of LibTorch.
 */
#pragma once

#include <string>
#include <vector>

#include "model/bottleneck.h"

namespace ghostnet {

/**
 * The architecture of a state dict: a named width of the V1 table where one fits, else a custom stage table.
 * What leaves no trace in the shapes takes its default: dropout, and the kernel of a bottleneck that has
 * neither a strided convolution nor a shortcut.
 * @throws Error GHOSTNET_PARAMETERS_MISMATCH when the keys are not those of a GhostNet
 */
Architecture infer_architecture(const Shapes& shapes);

/** What sets a state dict apart from an architecture, in words: names, and shapes where they differ. */
struct ParameterMismatch {
  std::vector<std::string> missing;
  std::vector<std::string> reshaped;  ///< "name is [..], expected [..]"
  std::vector<std::string> unexpected;

  bool empty() const { return missing.empty() && reshaped.empty() && unexpected.empty(); }
};

/** Holds a state dict against an architecture. Counters of batch normalisations may be missing, as in old
 * files. */
ParameterMismatch compare_parameters(const Architecture& architecture, const Shapes& shapes);

/**
 * As compare_parameters, but throws.
 * @throws Error GHOSTNET_PARAMETERS_MISMATCH that names the first few of each kind, and counts them
 */
void check_parameters(const Architecture& architecture, const Shapes& shapes);

}  // namespace ghostnet
