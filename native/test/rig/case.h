/** One run of the kernels on the machine: its input and its outcome. */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "kernels/cuda/call.h"
#include "machine.h"
#include "outcome.h"

namespace ghostnet::cuda_on_cpu {

enum class Path {
  fused,
  two_kernels,
  epilogue,  ///< after a primary convolution whose sums are x: as many input channels as intrinsic maps
};

struct Case {
  Precision dtype = Precision::float32;
  Path path = Path::fused;
  int batch = 1, height = 1, width = 1, in_channels = 1, intrinsic = 1, ratio = 2, cheap_size = 3;
  int out_channels = 2;
  bool relu = true, residual = false, gate = false;
  int misaligned = 0;  ///< elements from a 16-byte boundary to the start of every array
  Order order = Order::forward;
  std::string name;  ///< of the module, if it has one

  std::string text() const;
};

/** Runs the case on random numbers and compares with convolutions in float64. */
Outcome run(const Case& problem);

}  // namespace ghostnet::cuda_on_cpu
