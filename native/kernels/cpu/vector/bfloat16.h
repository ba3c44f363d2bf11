/** The vectors of bfloat16 for the target instruction set; contract.h defines what its file must provide. */
#pragma once

#if defined(__AVX512BF16__)
#include "kernels/cpu/vector/avx512_bfloat16.h"
#else
#error "no vectors of bfloat16 for this instruction set"
#endif
