/** The vectors of bytes for the target instruction set; bytes_contract.h defines what its file must provide.
 */
#pragma once

#if defined(__AVX512BW__)
#include "kernels/cpu/vector/bytes_avx512.h"
#elif defined(__AVX2__)
#include "kernels/cpu/vector/bytes_avx2.h"
#elif defined(__aarch64__)
#include "kernels/cpu/vector/bytes_neon.h"
#else
#include "kernels/cpu/vector/bytes_generic.h"
#endif
