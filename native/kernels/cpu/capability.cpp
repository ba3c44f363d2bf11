#include "kernels/cpu/capability.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/error.h"

namespace ghostnet::cpu {

const char* name_of(Capability capability) {
  switch (capability) {
    case Capability::baseline:
      return "default";
    case Capability::avx2:
      return "avx2";
    case Capability::avx512:
      return "avx512";
  }
  return "";
}

const std::vector<Capability>& available_capabilities() {
  static const std::vector<Capability> available = [] {
    std::vector<Capability> found = {Capability::baseline};
#ifdef GHOSTNET_X86_KERNELS
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) found.push_back(Capability::avx2);
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
        __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq")) {
      found.push_back(Capability::avx512);
    }
#endif
    return found;
  }();
  return available;
}

Capability chosen_capability() {
  const std::vector<Capability>& available = available_capabilities();
  const char* wanted = std::getenv("GHOSTNET_CPU_CAPABILITY");
  if (wanted == nullptr || *wanted == '\0') return available.back();
  const auto found = std::find_if(available.begin(), available.end(), [&](Capability capability) {
    return std::string(name_of(capability)) == wanted;
  });
  if (found != available.end()) return *found;
  std::string names;
  for (const Capability capability : available) {
    if (!names.empty()) names += ", ";
    names += name_of(capability);
  }
  throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT,
              "GHOSTNET_CPU_CAPABILITY names an instruction set that cannot be used here", wanted,
              "one of " + names);
}

}  // namespace ghostnet::cpu
