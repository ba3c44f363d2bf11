#include "ops/cpu/kernels.h"

namespace ghostnet::cpu {

extern const Kernels kernels_baseline;
#ifdef GHOSTNET_X86_KERNELS
extern const Kernels kernels_avx2;
extern const Kernels kernels_avx512;
#else
const KernelsOn<BFloat16> kernels_bfloat16 = {};  // no capability has them
#endif

const Kernels& kernels_of(Capability capability) {
  switch (capability) {
#ifdef GHOSTNET_X86_KERNELS
    case Capability::avx512:
      return kernels_avx512;
    case Capability::avx2:
      return kernels_avx2;
#else
    case Capability::avx512:
    case Capability::avx2:
#endif
    case Capability::baseline:
      break;
  }
  return kernels_baseline;
}

}  // namespace ghostnet::cpu
