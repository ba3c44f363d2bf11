// The kernels of a ProductCall. Included by a .cu file for each dtype, so that they compile side by side.
#pragma once

#include "fused_kernel.cuh"
#include "primary_kernel.cuh"
