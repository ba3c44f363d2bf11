#pragma once

#include <string>

namespace ghostnet {

/** What the process runs on. */
struct RuntimeInfo {
  std::string libtorch_version;  ///< that this binary was built with, e.g. "2.13.0"
  std::string cpu_capability;    ///< the instruction set LibTorch chose: "DEFAULT", "AVX2", "AVX512"
  int default_threads;           ///< see engine/threads.h
};

RuntimeInfo runtime_info();

/** Registers the operators. Call it when the module starts. @throws Error GHOSTNET_INTERNAL */
void start_runtime();

}  // namespace ghostnet
