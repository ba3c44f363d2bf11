// Compiled once per capability, with GHOSTNET_KERNELS naming the table; see cmake/CpuKernels.cmake.
//
// This file exports only the table and uses no inline function of the standard library: the linker keeps one
// copy of such a function, perhaps one with instructions that the processor lacks.
#include "kernels/cpu/kernels.h"

#include "kernels/cpu/vector/bytes.h"
#include "kernels/cpu/vector/float32.h"

// The kernels that compute with these vectors.
#include "kernels/cpu/peak_kernel.h"
#include "kernels/cpu/product_kernel.h"
#include "kernels/cpu/resize_kernels.h"
#include "kernels/cpu/row_kernels.h"

#include "kernels/cpu/value_table.h"

namespace ghostnet::cpu {

extern const Float32Kernels GHOSTNET_KERNELS;
const Float32Kernels GHOSTNET_KERNELS = {
    kValueTable, row_product, hard_sigmoid, clamp, multiply_add_rounds, resize_along, resize_across,
};

}  // namespace ghostnet::cpu
