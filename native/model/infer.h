/**
 * Infers the architecture from the names and shapes of the arrays in a checkpoint.
 */
#pragma once

#include <string>
#include <vector>

#include "model/bottleneck.h"

namespace ghostnet {

/**
 * The architecture of a state dict: a published table with a named width if it matches, else a custom stage
 * table. The keys show the form. Without a classifier, num_classes is 0.
 * Properties that the shapes do not show keep their defaults: dropout, and the kernel of a bottleneck that
 * has neither a strided convolution nor a shortcut.
 * @throws Error GHOSTNET_PARAMETERS_MISMATCH if the keys are not those of a GhostNet, with the differences
 * from the network of the family that fits best, of a published width or one that the stem shows
 */
Architecture infer_architecture(const Shapes& shapes);

/** The differences between a state dict and an architecture, in words: names, and shapes if they differ. */
struct ParameterMismatch {
  std::vector<std::string> missing;
  std::vector<std::string> reshaped;  ///< "name is [..], expected [..]"
  std::vector<std::string> unexpected;

  bool empty() const { return missing.empty() && reshaped.empty() && unexpected.empty(); }
};

/** Compares a state dict with an architecture. Counters of batch normalisations may be missing, as in old
 * files. */
ParameterMismatch compare_parameters(const Architecture& architecture, const Shapes& shapes);

/**
 * As compare_parameters, but throws.
 * @throws Error GHOSTNET_PARAMETERS_MISMATCH with the number of differences of each kind, and the first few
 */
void check_parameters(const Architecture& architecture, const Shapes& shapes);

}  // namespace ghostnet
