/** The cases of the rig. */
#pragma once

#include <vector>

#include "case.h"

namespace ghostnet::cuda_on_cpu {

/** Shapes chosen for their edges, in every thread order; both paths. */
std::vector<Case> edge_cases(Precision dtype);

/** `count` random modules. */
std::vector<Case> random_cases(Precision dtype, int count);

/** The ghost modules of GhostNet 1.0x on an image of 224x224, in the order they run. */
std::vector<Case> network_cases(Precision dtype, Path path);

}  // namespace ghostnet::cuda_on_cpu
