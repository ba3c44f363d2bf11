// The kernels of a LayerCall. Included by a .cu file for each dtype that memory has, so that they compile
// side by side.
#pragma once

#include "addition_kernel.cuh"
#include "cheap_kernel.cuh"
#include "dense_kernel.cuh"
#include "depthwise_kernel.cuh"
#include "epilogue_kernel.cuh"
#include "means_kernel.cuh"
#include "stem_kernel.cuh"
