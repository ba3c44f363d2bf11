#include "runtime/runtime.h"

#include <ATen/Version.h>
#include <torch/version.h>

#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <utility>

#include "engine/executor.h"
#include "engine/profile.h"
#include "engine/threads.h"
#include "kernels/cpu/capability.h"
#include "operator/ghost_module_op.h"
#include "runtime/guard.h"
#include "runtime/openmp_threads.h"

namespace ghostnet {

namespace {

// Limits the reference, too, to the instruction set that GHOSTNET_CPU_CAPABILITY names.
// oneDNN reads its variable once, before LibTorch first uses it.
void lower_onednn() {
  const char* wanted = std::getenv("GHOSTNET_CPU_CAPABILITY");
  if (wanted == nullptr || std::getenv("DNNL_MAX_CPU_ISA") != nullptr) return;
  constexpr std::pair<cpu::Capability, const char*> kNames[] = {{cpu::Capability::baseline, "SSE41"},
                                                                {cpu::Capability::avx2, "AVX2"},
                                                                {cpu::Capability::avx512, "AVX512_CORE"}};
  for (const auto& [capability, name] : kNames) {
    if (std::string_view(cpu::name_of(capability)) == wanted) setenv("ONEDNN_MAX_CPU_ISA", name, 0);
  }
}

}  // namespace

RuntimeInfo runtime_info() { return {TORCH_VERSION, at::get_cpu_capability(), default_threads()}; }

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
