#include "operator/cuda/ghost_module_cuda.h"

#include <c10/cuda/CUDAGuard.h>
#include <c10/cuda/CUDAStream.h>
#include <torch/library.h>

#include <limits>

#include "kernels/cuda/call.h"
#include "operator/ghost_module_op.h"

namespace ghostnet {

namespace {

void check_capability(c10::DeviceIndex device) {
  int major = 0, minor = 0;
  C10_CUDA_CHECK(cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, device));
  C10_CUDA_CHECK(cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, device));
  TORCH_CHECK_NOT_IMPLEMENTED(major >= cuda::kLeastMajor,
                              "the GPU must have compute capability 8.0 or later, found ", major, ".", minor);
}

bool fits(int64_t number) { return number <= std::numeric_limits<int>::max(); }

/** The call without its pointers and the sizes of x, or nothing if the kernels cannot compute it. */
std::optional<cuda::GpuGhostModule> call_without_x(
    const torch::Tensor& x, const torch::Tensor& primary_weight, const torch::Tensor& primary_bias,
    const torch::Tensor& cheap_weight, const torch::Tensor& cheap_bias, int64_t out_channels, bool relu) {
  const std::optional<cuda::NumberType> dtype = dtype_of(x);
  if (!dtype) return std::nullopt;
  for (const torch::Tensor* tensor : {&primary_weight, &primary_bias, &cheap_weight, &cheap_bias}) {
    if (tensor->scalar_type() != x.scalar_type() || tensor->device() != x.device()) return std::nullopt;
  }
  const int64_t intrinsic = primary_weight.size(0);
  for (const int64_t number : {x.size(1), x.size(2), x.size(3), cheap_weight.size(0) + intrinsic}) {
    if (!fits(number)) return std::nullopt;
  }
  cuda::GpuGhostModule call;
  call.dtype = *dtype;
  call.intrinsic = static_cast<int>(intrinsic);
  call.ratio = static_cast<int>(cheap_weight.size(0) / intrinsic + 1);
  call.cheap_size = static_cast<int>(cheap_weight.size(2));
  call.out_channels = static_cast<int>(out_channels);
  call.relu = relu;
  return call;
}

}  // namespace

std::optional<cuda::NumberType> dtype_of(const torch::Tensor& tensor) {
  switch (tensor.scalar_type()) {
    case torch::kFloat32:
      return cuda::NumberType::float32;
    case torch::kFloat16:
      return cuda::NumberType::float16;
    case torch::kBFloat16:
      return cuda::NumberType::bfloat16;
    default:
      return std::nullopt;
  }
}

torch::Tensor ghost_module_cuda(const torch::Tensor& x, const torch::Tensor& primary_weight,
                                const torch::Tensor& primary_bias, const torch::Tensor& cheap_weight,
                                const torch::Tensor& cheap_bias, int64_t out_channels, int64_t stride,
                                bool relu) {
  check_ghost_module(x, primary_weight, primary_bias, cheap_weight, cheap_bias, out_channels, stride);
  const auto reference = [&] {
    return ghost_module_reference(x, primary_weight, primary_bias, cheap_weight, cheap_bias, out_channels,
                                  stride, relu);
  };
  std::optional<cuda::GpuGhostModule> call =
      call_without_x(x, primary_weight, primary_bias, cheap_weight, cheap_bias, out_channels, relu);
  if (!call) return reference();

  const c10::cuda::CUDAGuard guard(x.device());
  check_capability(x.device().index());
  // The kernel contains the product. cuDNN computes the sums of any other convolution, the kernel the rest.
  const bool fused = primary_weight.size(2) == 1 && stride == 1;
  torch::Tensor pixels = x.contiguous(at::MemoryFormat::ChannelsLast);
  if (!fused) {
    pixels = at::conv2d(pixels, primary_weight, {}, stride, primary_weight.size(2) / 2)
                 .contiguous(at::MemoryFormat::ChannelsLast);
  }
  const torch::Tensor primary = primary_weight.contiguous();
  const auto floats = [](const torch::Tensor& tensor) { return tensor.to(torch::kFloat32).contiguous(); };
  const torch::Tensor primary_bias_floats = floats(primary_bias);
  const torch::Tensor cheap_floats = floats(cheap_weight.flatten(1).t());
  const torch::Tensor cheap_bias_floats = floats(cheap_bias);
  torch::Tensor out = torch::empty({x.size(0), out_channels, pixels.size(2), pixels.size(3)},
                                   x.options().memory_format(at::MemoryFormat::ChannelsLast));
  call->batch = pixels.size(0);
  call->in_channels = static_cast<int>(pixels.size(1));
  call->height = static_cast<int>(pixels.size(2));
  call->width = static_cast<int>(pixels.size(3));
  call->x = pixels.const_data_ptr();
  call->primary_weight = primary.const_data_ptr();
  call->primary_bias = primary_bias_floats.const_data_ptr<float>();
  call->cheap_weight = cheap_floats.const_data_ptr<float>();
  call->cheap_bias = cheap_bias_floats.const_data_ptr<float>();
  call->out = out.mutable_data_ptr();

  const auto stream = c10::cuda::getCurrentCUDAStream(x.device().index()).stream();
  const cuda::LaunchResult result = fused ? cuda::launch(cuda::GpuGhostCall{*call}, stream)
                                          : cuda::launch(cuda::GhostEpilogueCall{*call}, stream);
  switch (result.status) {
    case cuda::Launch::done:
      return out;
    case cuda::Launch::unsupported:
      return reference();
    case cuda::Launch::failed:
      break;
  }
  C10_CUDA_CHECK(static_cast<cudaError_t>(result.error));
  return out;
}

void register_cuda_operators() {
  const auto op = c10::Dispatcher::singleton().findSchemaOrThrow("ghostnet::ghost_module", "");
  if (op.hasKernelForDispatchKey(c10::DispatchKey::CUDA)) return;
  // Kept for the life of the process, like the operator itself.
  static auto* library =
      new torch::Library(torch::Library::IMPL, "ghostnet", c10::DispatchKey::CUDA, __FILE__, __LINE__);
  library->impl("ghost_module", ghost_module_cuda);
}

}  // namespace ghostnet
