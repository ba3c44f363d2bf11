/**
 * How and where a network is computed: one value, passed from the options of a model to its runner.
 */
#pragma once

#include <compare>
#include <optional>

#include "precisions.h"  // generated from lib/model/precision.ts

namespace ghostnet {

enum class Backend {
  fused,      ///< an engine: engine/cpu/engine.h, or engine/cuda/cuda_engine.h on a GPU
  reference,  ///< the torch::nn modules, modules/ghostnet.h
};

inline constexpr Backend kBackends[] = {Backend::fused, Backend::reference};

constexpr const char* name_of(Backend backend) { return backend == Backend::fused ? "fused" : "reference"; }

struct Computation {
  Backend backend = Backend::fused;
  Precision precision = Precision::float32;
  /** The number of a GPU in cuda::list_gpus(), which was called before; the CPU if not given. */
  std::optional<int> gpu = {};

  auto operator<=>(const Computation&) const = default;
};

/**
 * @throws Error GHOSTNET_INVALID_ARGUMENT if the parts contradict each other; GHOSTNET_UNSUPPORTED_PRECISION
 * if the engine has no kernels for the precision on this processor, or within the instruction set that
 * GHOSTNET_CPU_CAPABILITY names
 */
void validate(const Computation& computation);

}  // namespace ghostnet
