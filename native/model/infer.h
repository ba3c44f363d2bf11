/**
 * From the names and shapes of a checkpoint's arrays to the architecture that has them. Free of LibTorch.
 */
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "model/architecture.h"

namespace ghostnet {

using Shapes = std::map<std::string, std::vector<int64_t>>;

/**
 * The architecture of a state dict: a named width of the V1 table where one fits, else a custom stage table.
 * What leaves no trace in the shapes takes its default: dropout, and the kernel of a bottleneck that has
 * neither a strided convolution nor a shortcut.
 * @throws Error GHOSTNET_PARAMETERS_MISMATCH when the keys are not those of a GhostNet
 */
Architecture infer_architecture(const Shapes& shapes);

/**
 * Holds a state dict against an architecture. Counters of batch normalisations may be missing, as in old
 * files.
 * @throws Error GHOSTNET_PARAMETERS_MISMATCH that names the first few arrays that are missing, unexpected or
 * of another shape, and counts them
 */
void check_parameters(const Architecture& architecture, const Shapes& shapes);

}  // namespace ghostnet
