#pragma once

#include <string>
#include <vector>

#include "kernels/cpu/kernel_table.h"

namespace ghostnet {

/** The capability and precision of an engine. */
struct EngineKind {
  cpu::Capability capability;
  Precision precision;

  std::string name() const {
    return std::string(cpu::name_of(capability)) +
           (precision == Precision::float32 ? "" : std::string("_") + name_of(precision));
  }
};

/** All kinds that this processor supports. */
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
