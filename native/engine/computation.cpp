#include "engine/computation.h"

#include <string>

#include "base/error.h"
#include "kernels/cpu/kernel_table.h"

namespace ghostnet {

namespace {

// Throws unless kernels for activations of this type run here.
template <typename Value>
void check_kernels(Precision precision) {
  const cpu::Capability capability = cpu::chosen_capability();
  if (cpu::kernels_of(capability).row<Value>() != nullptr) return;
  const bool lowered = cpu::kernels_of(cpu::available_capabilities().back()).row<Value>() != nullptr;
  throw Error(
      ErrorCode::GHOSTNET_UNSUPPORTED_PRECISION,
      std::string("There are no ") + name_of(precision) + " kernels for this processor",
      lowered ? std::string("the instruction set ") + cpu::name_of(capability) + " of GHOSTNET_CPU_CAPABILITY"
              : "a processor without AVX512_BF16",
      "a processor with AVX512_BF16, and GHOSTNET_CPU_CAPABILITY unset or avx512");
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
  cpu::visit(precision, [&]<typename Value>() { check_kernels<Value>(precision); });
}

}  // namespace ghostnet
