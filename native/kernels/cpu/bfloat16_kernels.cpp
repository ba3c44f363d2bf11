// Kernels on bfloat16, for processors with AVX512_BF16. As in kernels.cpp, this file exports only the table
// and uses no inline function of the standard library.
#include "kernels/cpu/kernels.h"

#include "kernels/cpu/vector/bfloat16.h"

// The kernels that compute with these vectors.
#include "kernels/cpu/bfloat16_product_kernel.h"

#include "kernels/cpu/value_table.h"

namespace ghostnet::cpu {

extern const KernelsOn<BFloat16> GHOSTNET_KERNELS;
const KernelsOn<BFloat16> GHOSTNET_KERNELS = kValueTable;

}  // namespace ghostnet::cpu
