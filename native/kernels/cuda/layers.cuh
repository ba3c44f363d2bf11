// The kernels of LayerCall, for layers_*.cu: a file for each dtype of memory, so that they compile side by
// side.
#pragma once

#include "addition_kernel.cuh"
#include "cheap_kernel.cuh"
#include "dense_kernel.cuh"
#include "depthwise_kernel.cuh"
#include "epilogue_kernel.cuh"
#include "means_kernel.cuh"
#include "stem_kernel.cuh"
