/** The cases of the rig. */
#pragma once

#include <vector>

#include "case.h"

namespace ghostnet::cuda_on_cpu {

/** Shapes chosen for their edges, in every thread order; both paths. */
std::vector<Case> edge_cases(cuda::NumberType dtype);

/** `count` random modules. */
std::vector<Case> random_cases(cuda::NumberType dtype, int count);

/** The ghost modules of GhostNet 1.0x on an image of 224x224, in the order in which they run. */
std::vector<Case> network_cases(cuda::NumberType dtype, Path path);

}  // namespace ghostnet::cuda_on_cpu
