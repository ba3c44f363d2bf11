/**
 * The instruction sets that the CPU kernels are compiled for, and the one that this process uses.
 */
#pragma once

#include <optional>
#include <string_view>
#include <vector>

namespace ghostnet::cpu {

enum class Capability {
  baseline,  ///< present on every processor of the architecture: SSE2 on x86-64, NEON on ARM
  avx2,      ///< AVX2 and FMA
  avx512,    ///< AVX-512 F, VL, BW and DQ
};

/** "default" (on ARM "neon"), "avx2", "avx512": the values of GHOSTNET_CPU_CAPABILITY. */
const char* name_of(Capability capability);

/** The capability of this name, whether this processor supports it or not. "default" is the baseline on ARM,
 * too. */
std::optional<Capability> capability_named(std::string_view name);

/** Instruction sets that this binary has kernels for and this processor supports, narrowest first; never
 * empty. */
const std::vector<Capability>& available_capabilities();

/**
 * The capability that GHOSTNET_CPU_CAPABILITY names, else the widest available one.
 * @throws Error GHOSTNET_INVALID_ARGUMENT if the variable names no capability, or one that this processor or
 * this binary lacks
 */
Capability chosen_capability();

}  // namespace ghostnet::cpu
