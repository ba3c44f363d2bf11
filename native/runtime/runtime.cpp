#include "runtime/runtime.h"

#include <ATen/Version.h>
#include <torch/version.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string>

#include "engine/executor.h"
#include "engine/profile.h"
#include "engine/threads.h"
#include "kernels/cpu/capability.h"
#include "operator/ghost_module_op.h"
#include "runtime/guard.h"
#include "runtime/openmp_threads.h"

namespace ghostnet {

namespace {

const char* onednn_name_of(cpu::Capability capability) {
  switch (capability) {
    case cpu::Capability::baseline:
#ifdef __aarch64__
      return "ADVANCED_SIMD";
#else
      return "SSE41";
#endif
    case cpu::Capability::avx2:
      return "AVX2";
    case cpu::Capability::avx512:
      return "AVX512_CORE";
  }
  return "";
}

// LibTorch calls the instruction set of every AArch64 processor "DEFAULT".
std::string libtorch_capability() {
  std::string name = at::get_cpu_capability();
#ifdef __aarch64__
  if (name == "DEFAULT") name = "NEON";
#endif
  return name;
}

// Limits the reference, too, to the instruction set that GHOSTNET_CPU_CAPABILITY names.
// oneDNN reads its variable once, before LibTorch first uses it.
void lower_onednn() {
  const char* wanted = std::getenv("GHOSTNET_CPU_CAPABILITY");
  if (wanted == nullptr || std::getenv("DNNL_MAX_CPU_ISA") != nullptr) return;
  const std::optional<cpu::Capability> named = cpu::capability_named(wanted);
  if (!named) return;  // refused with the first model
  setenv("ONEDNN_MAX_CPU_ISA", onednn_name_of(*named), 0);
}

}  // namespace

RuntimeInfo runtime_info() { return {TORCH_VERSION, libtorch_capability(), default_threads()}; }

void stop_runtime() {
  Executor::stop_all();
  std::fputs(Profile::report().c_str(), stderr);
}

void start_runtime() {
  lower_onednn();
  guard([] {
    start_without_openmp();
    register_operators();
  });
}

}  // namespace ghostnet
