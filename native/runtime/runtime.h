#pragma once

#include <string>

namespace ghostnet {

/** The libraries and hardware that the process runs on. */
struct RuntimeInfo {
  std::string libtorch_version;  ///< the version this binary was built with, e.g. "2.13.0"
  std::string cpu_capability;  ///< the instruction set LibTorch selected: "DEFAULT", "AVX2", "AVX512", "NEON"
  int default_threads;         ///< see engine/threads.h
};

RuntimeInfo runtime_info();

/**
 * Ends all computation in the process, and prints the profiles to stderr if GHOSTNET_PROFILE is set. Call it
 * when the process exits.
 */
void stop_runtime();

/**
 * Registers the operators, and limits LibTorch's oneDNN to GHOSTNET_CPU_CAPABILITY unless ONEDNN_MAX_CPU_ISA
 * is set. Call it when the module starts, before any operator is called.
 * @throws Error GHOSTNET_INTERNAL
 */
void start_runtime();

}  // namespace ghostnet
