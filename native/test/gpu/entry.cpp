// torch.ops.ghostnet_test: the kernels for Python, with weights packed once and a path chosen by the caller.
#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include "kernels/cuda/call.h"
#include "model/variant.h"
#include "operator/cuda/ghost_module_cuda.h"
#include "operator/ghost_module_op.h"
#include "test/network_modules.h"

namespace ghostnet {
namespace {

/**
 * @param x [N,H,W,C] contiguous
 * @param primary_weight [I,C] of x's dtype; the other weights float32, cheap_weight [size^2,I*(ratio-1)]
 * @param out [N,H,W,out_channels] is written
 * @param tf32 with float32: factors are rounded for tensor cores
 */
void run(const torch::Tensor& x, const torch::Tensor& primary_weight, const torch::Tensor& primary_bias,
         const torch::Tensor& cheap_weight, const torch::Tensor& cheap_bias,
         const std::optional<torch::Tensor>& residual, const torch::Tensor& out, int64_t cheap_size,
         bool relu, bool in_two, bool tf32) {
  const c10::cuda::CUDAGuard guard(x.device());
  cuda::GpuGhostModule module;
  module.dtype = tf32 ? Precision::tf32 : dtype_of(x).value();
  module.x = x.const_data_ptr();
  module.primary_weight = primary_weight.const_data_ptr();
  module.primary_bias = primary_bias.const_data_ptr<float>();
  module.cheap_weight = cheap_weight.const_data_ptr<float>();
  module.cheap_bias = cheap_bias.const_data_ptr<float>();
  module.residual = residual ? residual->const_data_ptr() : nullptr;
  module.out = out.mutable_data_ptr();
  module.batch = x.size(0);
  module.height = static_cast<int>(x.size(1));
  module.width = static_cast<int>(x.size(2));
  module.in_channels = static_cast<int>(x.size(3));
  module.intrinsic = static_cast<int>(primary_weight.size(0));
  module.ratio = static_cast<int>(cheap_weight.size(1) / primary_weight.size(0) + 1);
  module.cheap_size = static_cast<int>(cheap_size);
  module.out_channels = static_cast<int>(out.size(3));
  module.relu = relu;
  const auto stream = c10::cuda::getCurrentCUDAStream(x.device().index()).stream();
  const cuda::LaunchResult result = in_two ? cuda::launch(cuda::GhostModuleInTwo{module}, stream)
                                           : cuda::launch(cuda::GpuGhostCall{module}, stream);
  TORCH_CHECK(result.status == cuda::Launch::done, "not launched: status ", static_cast<int>(result.status),
              ", CUDA error ", result.error);
}

/** [modules,5]: input channels, intrinsic maps, output channels, side of the plane, ReLU. */
torch::Tensor network_modules(int64_t image_side) {
  std::vector<int64_t> numbers;
  for (const NetworkModule& m : ghost_modules(*find_variant("ghostnet_100"), static_cast<int>(image_side))) {
    for (const int number : {m.in_channels, m.intrinsic, m.out_channels, m.side, static_cast<int>(m.relu)}) {
      numbers.push_back(number);
    }
  }
  return torch::tensor(numbers).view({-1, 5});
}

TORCH_LIBRARY(ghostnet_test, library) {
  register_operators();
  register_cuda_operators();
  library.def("run", run);
  library.def("network_modules", network_modules);
}

}  // namespace
}  // namespace ghostnet
