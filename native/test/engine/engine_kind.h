#pragma once

#include <string>
#include <vector>

#include "kernels/cpu/kernel_table.h"

namespace ghostnet {

/** What an engine computes with. */
struct EngineKind {
  cpu::Capability capability;
  Precision precision;

  std::string name() const {
    return std::string(cpu::name_of(capability)) +
           (precision == Precision::float32 ? "" : std::string("_") + name_of(precision));
  }
};

/** All kinds that this processor has. */
inline std::vector<EngineKind> engine_kinds() {
  std::vector<EngineKind> kinds;
  for (const cpu::Capability capability : cpu::available_capabilities()) {
    const cpu::Kernels kernels = cpu::kernels_of(capability);
    kinds.push_back({capability, Precision::float32});
    if (kernels.bfloat16 != nullptr) kinds.push_back({capability, Precision::bfloat16});
  }
  return kinds;
}

}  // namespace ghostnet
