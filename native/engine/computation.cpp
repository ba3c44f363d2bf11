#include "engine/computation.h"

#include <string>

#include "base/error.h"
#include "kernels/cpu/kernel_table.h"

namespace ghostnet {

namespace {

bool has_kernels(cpu::Capability capability, Precision precision) {
  return cpu::visit(precision,
                    [&]<typename Value>() { return cpu::kernels_of(capability).row<Value>() != nullptr; });
}

}  // namespace

void validate(const Computation& computation) {
  const auto& [backend, precision, gpu] = computation;
  if (backend != Backend::fused && gpu) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "Only the fused backend runs on a GPU", "reference",
                "the fused backend, or the device cpu");
  }
  if (backend != Backend::fused && precision != Precision::float32) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT,
                "Only the fused backend supports precisions other than float32", name_of(precision),
                name_of(Precision::float32));
  }
  if (backend != Backend::fused || gpu || precision == Precision::float32) return;
  const cpu::Capability capability = cpu::chosen_capability();
  if (has_kernels(capability, precision)) return;
  const bool lowered = has_kernels(cpu::available_capabilities().back(), precision);
  throw Error(
      ErrorCode::GHOSTNET_UNSUPPORTED_PRECISION,
      std::string("There are no ") + name_of(precision) + " kernels for this processor",
      lowered ? std::string("the instruction set ") + cpu::name_of(capability) + " of GHOSTNET_CPU_CAPABILITY"
              : "a processor without AVX512_BF16",
      "a processor with AVX512_BF16, and GHOSTNET_CPU_CAPABILITY unset or avx512");
}

}  // namespace ghostnet
