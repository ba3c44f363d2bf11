// The kernels of a ProductCall. Included by one .cu file per dtype, so that these compile in parallel.
#pragma once

#include "fused_kernel.cuh"
#include "primary_kernel.cuh"
