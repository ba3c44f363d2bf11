/** The vectors of bfloat16 for the instruction set compiled for; contract.h says what its file provides. */
#pragma once

#if defined(__AVX512BF16__)
#include "kernels/cpu/vector/avx512_bfloat16.h"
#else
#error "no vectors of bfloat16 for this instruction set"
#endif
