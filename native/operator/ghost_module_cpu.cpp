#include "operator/ghost_module_cpu.h"

#include <ATen/Parallel.h>

#include "kernels/cpu/ghost_module.h"
#include "kernels/cpu/packing.h"
#include "operator/ghost_module_op.h"

namespace ghostnet {

namespace {

bool can_fuse(const torch::Tensor& x, const torch::Tensor& primary_weight, const torch::Tensor& primary_bias,
              const torch::Tensor& cheap_weight, const torch::Tensor& cheap_bias, int64_t stride) {
  for (const torch::Tensor* tensor : {&x, &primary_weight, &primary_bias, &cheap_weight, &cheap_bias}) {
    if (tensor->scalar_type() != torch::kFloat32 || !tensor->device().is_cpu()) return false;
  }
  return primary_weight.size(2) == 1 && stride == 1 && cheap_weight.size(0) == primary_weight.size(0) &&
         cheap_weight.size(2) <= cpu::kMaxDepthwiseKernel;
}

// Rows that a thread computes at a time: enough that few extra rows are computed.
constexpr int64_t kBandRows = 16;

}  // namespace

torch::Tensor ghost_module_cpu(const torch::Tensor& x, const torch::Tensor& primary_weight,
                               const torch::Tensor& primary_bias, const torch::Tensor& cheap_weight,
                               const torch::Tensor& cheap_bias, int64_t out_channels, int64_t stride,
                               bool relu) {
  check_ghost_module(x, primary_weight, primary_bias, cheap_weight, cheap_bias, out_channels, stride);
  const int64_t intrinsic = primary_weight.size(0);
  if (!can_fuse(x, primary_weight, primary_bias, cheap_weight, cheap_bias, stride) ||
      out_channels < intrinsic) {
    return ghost_module_reference(x, primary_weight, primary_bias, cheap_weight, cheap_bias, out_channels,
                                  stride, relu);
  }
  const cpu::Float32Kernels& kernels = *cpu::kernels_of(cpu::chosen_capability()).float32;
  const cpu::Packing<float> packing = {kernels};
  const auto values = [](const torch::Tensor& tensor) { return tensor.contiguous(); };
  const torch::Tensor weights[] = {values(primary_weight), values(primary_bias), values(cheap_weight),
                                   values(cheap_bias)};
  const auto data = [&](int index) { return weights[index].const_data_ptr<float>(); };
  const cpu::PackedGhostModule<float> module = {
      cpu::pack_product(packing, data(0), data(1), intrinsic, x.size(1)),
      cpu::pack_depthwise(packing, data(2), data(3), out_channels - intrinsic, cheap_weight.size(2)),
      relu,
  };

  const int64_t height = x.size(2);
  const int64_t width = x.size(3);
  // [N,C,H,W] with the channels of each pixel contiguous: [N,H,W,C].
  const torch::Tensor input = x.permute({0, 2, 3, 1}).contiguous();
  const int64_t image = height * width * out_channels;
  // The kernels read slightly beyond the last value.
  const torch::Tensor memory = torch::empty({x.size(0) * image + cpu::kReadableBehind}, x.options());
  const auto* const in = input.const_data_ptr<float>();
  auto* const out = memory.mutable_data_ptr<float>();
  const int64_t bands = (height + kBandRows - 1) / kBandRows;
  at::parallel_for(0, x.size(0) * bands, 1, [&](int64_t begin, int64_t end) {
    const cpu::GhostModuleMemory<float> needs(kernels, module);
    const int64_t kept_size = needs.kept_row_size(width);
    const int64_t kept_count = needs.kept_rows(height, width);
    cpu::PackedArray<float> memory = cpu::make_packed_array<float>(kept_size * kept_count);
    const cpu::RowsOf<float> kept = {memory.data(), kept_size, kept_count};
    for (int64_t index = begin; index < end; ++index) {
      const int64_t number = index / bands;
      const int64_t first = index % bands * kBandRows;
      const cpu::GhostModuleCall<float> call = {
          .input = {in + number * height * width * x.size(1), width * x.size(1), height},
          .height = height,
          .width = width,
          .gate = nullptr,
          .residual = {},
          .output = {out + number * image, width * out_channels, height},
          .row_sums = nullptr,
      };
      const cpu::GhostModulePart part = {
          .rows = {first, std::min(first + kBandRows, height)},
          .panels = module.primary.all_panels(),
          .resumes = false,
      };
      run_ghost_module<float>(kernels, module, call, part, kept, nullptr);
    }
  });
  const torch::Tensor pixels =
      memory.narrow(0, 0, x.size(0) * image).view({x.size(0), height, width, out_channels});
  return pixels.permute({0, 3, 1, 2}).contiguous();
}

}  // namespace ghostnet
