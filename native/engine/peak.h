#pragma once

#include "engine/team.h"

namespace ghostnet {

/**
 * The best measured number of multiply-adds per second that the threads of a team reach together with
 * the instruction set of the kernels. Takes about 50 ms.
 */
double measure_peak(Team& team);

}  // namespace ghostnet
