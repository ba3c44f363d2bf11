/** The vectors of float32 for the target instruction set; contract.h defines what its file must provide. */
#pragma once

#if defined(__AVX512F__)
#include "kernels/cpu/vector/avx512.h"
#elif defined(__AVX2__)
#include "kernels/cpu/vector/avx2.h"
#elif defined(__aarch64__)
#include "kernels/cpu/vector/neon.h"
#else
#include "kernels/cpu/vector/generic.h"
#endif
