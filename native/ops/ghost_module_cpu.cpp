#include "ops/ghost_module_cpu.h"

#include <ATen/Parallel.h>

#include "ops/cpu/ghost_module.h"

namespace ghostnet {

namespace {

bool can_fuse(const GhostModuleArguments& arguments) {
  const auto& [primary_weight, primary_bias, cheap_weight, cheap_bias] = arguments.weights;
  for (const torch::Tensor* tensor :
       {&arguments.x, &primary_weight, &primary_bias, &cheap_weight, &cheap_bias}) {
    if (tensor->scalar_type() != torch::kFloat32 || !tensor->device().is_cpu()) return false;
  }
  return primary_weight.size(2) == 1 && arguments.stride == 1 &&
         cheap_weight.size(0) == primary_weight.size(0) && cheap_weight.size(2) <= cpu::kMaxDepthwiseKernel &&
         arguments.out_channels >= primary_weight.size(0);
}

// The rows that a thread computes at a time: enough that the rows it makes beside them are few.
constexpr int64_t kBandRows = 16;

}  // namespace

torch::Tensor ghost_module_cpu(const GhostModuleArguments& arguments) {
  check_ghost_module(arguments);
  if (!can_fuse(arguments)) return ghost_module_reference(arguments);
  const auto& [x, folded, out_channels, stride, relu] = arguments;
  const int64_t intrinsic = folded.primary_weight.size(0);
  const cpu::Kernels& kernels = cpu::kernels_of(cpu::chosen_capability());
  const auto values = [](const torch::Tensor& tensor) { return tensor.contiguous(); };
  const torch::Tensor weights[] = {values(folded.primary_weight), values(folded.primary_bias),
                                   values(folded.cheap_weight), values(folded.cheap_bias)};
  const auto data = [&](int index) { return weights[index].const_data_ptr<float>(); };
  const cpu::PackedGhostModule module = {
      cpu::pack_product({kernels}, data(0), data(1), intrinsic, x.size(1)),
      cpu::pack_depthwise({kernels}, data(2), data(3), out_channels - intrinsic, folded.cheap_weight.size(2)),
      relu,
  };

  const int64_t height = x.size(2);
  const int64_t width = x.size(3);
  // Pixels of [N,C,H,W] with their channels next to each other: [N,H,W,C].
  const torch::Tensor input = x.permute({0, 2, 3, 1}).contiguous();
  const int64_t image = height * width * out_channels;
  // The kernels read a little beyond the last value.
  const torch::Tensor memory = torch::empty({x.size(0) * image + cpu::kReadableBehind}, x.options());
  const auto* const in = input.const_data_ptr<float>();
  auto* const out = memory.mutable_data_ptr<float>();
  const int64_t bands = (height + kBandRows - 1) / kBandRows;
  at::parallel_for(0, x.size(0) * bands, 1, [&](int64_t begin, int64_t end) {
    const int64_t kept_size = kept_row_size(kernels, module, width);
    const int64_t kept_count = kept_rows(module, height, width);
    cpu::Floats memory(kept_size * kept_count);
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
          .panels = {0, std::ssize(module.primary.panels)},
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
