#include "engine/runtime.h"

#include <ATen/Version.h>
#include <torch/version.h>

#include <cstdio>

#include "engine/executor.h"
#include "engine/guard.h"
#include "engine/profile.h"
#include "engine/threads.h"
#include "ops/ghost_module_op.h"

namespace ghostnet {

RuntimeInfo runtime_info() { return {TORCH_VERSION, at::get_cpu_capability(), default_threads()}; }

void stop_runtime() {
  Executor::stop_all();
  std::fputs(Profile::report().c_str(), stderr);
}

void start_runtime() { guard(register_operators); }

}  // namespace ghostnet
