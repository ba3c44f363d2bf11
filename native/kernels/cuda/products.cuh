// The kernels of ProductCall, for products_*.cu: a file for each dtype, so that they compile side by side.
#pragma once

#include "fused_kernel.cuh"
#include "primary_kernel.cuh"
