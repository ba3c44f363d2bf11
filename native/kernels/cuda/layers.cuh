// The kernels of a LayerCall. Included by one .cu file per dtype in memory, so that these compile in
// parallel.
#pragma once

#include "addition_kernel.cuh"
#include "attention_kernel.cuh"
#include "cheap_kernel.cuh"
#include "dense_kernel.cuh"
#include "depthwise_kernel.cuh"
#include "epilogue_kernel.cuh"
#include "halve_kernel.cuh"
#include "means_kernel.cuh"
#include "stem_kernel.cuh"
