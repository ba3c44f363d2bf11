#include "kernels/cpu/kernel_table.h"

#include <string>

#include "base/error.h"

namespace ghostnet::cpu {

extern const Float32Kernels kernels_baseline;
#ifdef GHOSTNET_X86_KERNELS
extern const Float32Kernels kernels_avx2;
extern const Float32Kernels kernels_avx512;
extern const KernelsOn<BFloat16> kernels_avx512_bfloat16;
#endif

Kernels kernels_of(Capability capability) {
  switch (capability) {
#ifdef GHOSTNET_X86_KERNELS
    case Capability::avx512:
      return {&kernels_avx512, __builtin_cpu_supports("avx512bf16") ? &kernels_avx512_bfloat16 : nullptr};
    case Capability::avx2:
      return {&kernels_avx2, nullptr};
#else
    case Capability::avx512:
    case Capability::avx2:
#endif
    case Capability::baseline:
      break;
  }
  return {&kernels_baseline, nullptr};
}

void refuse_precision(Precision precision) {
  throw Error(ErrorCode::GHOSTNET_UNSUPPORTED_PRECISION,
              std::string("There are no CPU kernels for ") + name_of(precision), "the device cpu", "a GPU");
}

}  // namespace ghostnet::cpu
