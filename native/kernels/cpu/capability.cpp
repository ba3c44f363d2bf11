#include "kernels/cpu/capability.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include "base/error.h"

namespace ghostnet::cpu {

namespace {

constexpr const char* kDefault = "default";

}  // namespace

const char* name_of(Capability capability) {
  switch (capability) {
    case Capability::baseline:
#ifdef __aarch64__
      return "neon";
#else
      return kDefault;
#endif
    case Capability::avx2:
      return "avx2";
    case Capability::avx512:
      return "avx512";
  }
  return "";
}

std::optional<Capability> capability_named(std::string_view name) {
  if (name == kDefault) return Capability::baseline;
  for (const Capability capability : {Capability::baseline, Capability::avx2, Capability::avx512}) {
    if (name == name_of(capability)) return capability;
  }
  return std::nullopt;
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
  const std::optional<Capability> named = capability_named(wanted);
  if (named && std::find(available.begin(), available.end(), *named) != available.end()) return *named;
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
