#include "engine/runtime.h"

#include <ATen/Version.h>
#include <torch/version.h>

#include "engine/guard.h"
#include "engine/threads.h"
#include "ops/ghost_module_op.h"

namespace ghostnet {

RuntimeInfo runtime_info() { return {TORCH_VERSION, at::get_cpu_capability(), default_threads()}; }

void start_runtime() { guard(register_operators); }

}  // namespace ghostnet
