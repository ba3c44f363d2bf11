#include "operator/cuda/ghost_module_cuda.h"

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <algorithm>
#include <limits>

#include "kernels/cuda/call.h"

namespace ghostnet {

namespace {

void check_capability(c10::DeviceIndex device) {
  int major = 0, minor = 0;
  C10_CUDA_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  C10_CUDA_CHECK(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
  TORCH_CHECK_NOT_IMPLEMENTED(major >= cuda::kLeastMajor,
                              "the GPU must have compute capability 8.0 or later, found ", major, ".", minor);
}

/** Whether the kernels know the dtype and can count the sizes. */
bool can_compute(const GhostModuleArguments& arguments) {
  const torch::Tensor& x = arguments.x;
  const auto& [primary_weight, primary_bias, cheap_weight, cheap_bias] = arguments.weights;
  if (!dtype_of(x)) return false;
  for (const torch::Tensor* tensor : {&primary_weight, &primary_bias, &cheap_weight, &cheap_bias}) {
    if (tensor->scalar_type() != x.scalar_type() || tensor->device() != x.device()) return false;
  }
  const int64_t maps = primary_weight.size(0) + cheap_weight.size(0);
  return std::max({x.size(1), x.size(2), x.size(3), maps}) <= std::numeric_limits<int>::max();
}

}  // namespace

std::optional<Precision> dtype_of(const torch::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case torch::kFloat32:
      return Precision::float32;
    case torch::kFloat16:
      return Precision::float16;
    case torch::kBFloat16:
      return Precision::bfloat16;
    default:
      return std::nullopt;
  }
}

torch::Tensor ghost_module_cuda(const GhostModuleArguments& arguments) {
  check_ghost_module(arguments);
  if (!can_compute(arguments)) return ghost_module_reference(arguments);
  const auto& [x, weights, out_channels, stride, relu] = arguments;
  const c10::cuda::CUDAGuard guard(x.device());
  check_capability(x.device().index());
  // A product is part of the kernel. A convolution is not: cuDNN makes its sums, the kernel does the rest.
  const bool fused = weights.primary_weight.size(2) == 1 && stride == 1;
  torch::Tensor pixels = x.contiguous(at::MemoryFormat::ChannelsLast);
  if (!fused) {
    pixels = at::conv2d(pixels, weights.primary_weight, {}, stride, weights.primary_weight.size(2) / 2)
                 .contiguous(at::MemoryFormat::ChannelsLast);
  }
  const auto floats = [](const torch::Tensor& tensor) { return tensor.to(torch::kFloat32).contiguous(); };
  const torch::Tensor primary = weights.primary_weight.contiguous();
  const torch::Tensor primary_bias = floats(weights.primary_bias);
  const torch::Tensor cheap = floats(weights.cheap_weight.flatten(1).t());
  const torch::Tensor cheap_bias = floats(weights.cheap_bias);
  torch::Tensor out = torch::empty({x.size(0), out_channels, pixels.size(2), pixels.size(3)},
                                   x.options().memory_format(at::MemoryFormat::ChannelsLast));
  const cuda::GpuGhostModule module = {
      .dtype = dtype_of(x).value(),
      .x = pixels.const_data_ptr(),
      .primary_weight = primary.const_data_ptr(),
      .primary_bias = primary_bias.const_data_ptr<float>(),
      .cheap_weight = cheap.const_data_ptr<float>(),
      .cheap_bias = cheap_bias.const_data_ptr<float>(),
      .gate = nullptr,
      .residual = nullptr,
      .out = out.mutable_data_ptr(),
      .batch = pixels.size(0),
      .height = static_cast<int>(pixels.size(2)),
      .width = static_cast<int>(pixels.size(3)),
      .in_channels = static_cast<int>(pixels.size(1)),
      .intrinsic = static_cast<int>(primary.size(0)),
      .ratio = static_cast<int>(cheap.size(1) / primary.size(0) + 1),
      .cheap_size = static_cast<int>(weights.cheap_weight.size(2)),
      .out_channels = static_cast<int>(out_channels),
      .relu = relu,
  };
  const auto stream = c10::cuda::getCurrentCUDAStream(x.device().index()).stream();
  const cuda::LaunchResult result = fused ? cuda::launch(cuda::GpuGhostCall{module}, stream)
                                          : cuda::launch(cuda::GhostEpilogueCall{module}, stream);
  if (result.status == cuda::Launch::unsupported) return ghost_module_reference(arguments);
  C10_CUDA_CHECK(static_cast<cudaError_t>(result.error));
  return out;
}

void register_cuda_operators() {
  const auto op = c10::Dispatcher::singleton().findSchemaOrThrow("ghostnet::ghost_module", "");
  if (op.hasKernelForDispatchKey(c10::DispatchKey::CUDA)) return;
  // Kept for the life of the process, like the operator itself.
  static auto* library =
      new torch::Library(torch::Library::IMPL, "ghostnet", c10::DispatchKey::CUDA, __FILE__, __LINE__);
  library->impl("ghost_module", dispatched<ghost_module_cuda>);
}

}  // namespace ghostnet
