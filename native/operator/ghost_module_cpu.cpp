#include "operator/ghost_module_cpu.h"

#include <ATen/Parallel.h>

#include "kernels/cpu/ghost_module.h"
#include "kernels/cpu/packing.h"
#include "model/graph.h"

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

cpu::PackedGhostModule<float> packed(const cpu::Float32Kernels& kernels, const FoldedGhostModule& weights,
                                     int64_t out_channels, bool relu) {
  cpu::ArrayPool pool(0);
  const cpu::Packing<float> packing = {kernels, pool};
  const torch::Tensor primary = weights.primary_weight.contiguous(),
                      cheap = weights.cheap_weight.contiguous();
  const torch::Tensor primary_bias = weights.primary_bias.contiguous(),
                      cheap_bias = weights.cheap_bias.contiguous();
  const int64_t intrinsic = primary.size(0);
  return {
      cpu::pack_product(packing, primary.const_data_ptr<float>(), primary_bias.const_data_ptr<float>(),
                        intrinsic, primary.size(1)),
      cpu::pack_depthwise(packing, cheap.const_data_ptr<float>(), cheap_bias.const_data_ptr<float>(),
                          out_channels - intrinsic, cheap.size(2)),
      relu,
  };
}

// Rows that a thread computes at a time: enough that few extra rows are computed.
constexpr int64_t kBandRows = 16;

}  // namespace

torch::Tensor ghost_module_cpu(const GhostModuleArguments& arguments) {
  check_ghost_module(arguments);
  if (!can_fuse(arguments)) return ghost_module_reference(arguments);
  const auto& [x, folded, out_channels, stride, relu] = arguments;
  const cpu::Float32Kernels& kernels = *cpu::kernels_of(cpu::chosen_capability()).float32;
  const cpu::PackedGhostModule<float> module = packed(kernels, folded, out_channels, relu);
  // Pixels of [N,C,H,W] with their channels next to each other: [N,H,W,C].
  const torch::Tensor input = x.permute({0, 2, 3, 1}).contiguous();
  const Plane out = {out_channels, x.size(2), x.size(3)};
  // The kernels read a little beyond the last value.
  const torch::Tensor memory = torch::empty({x.size(0) * out.count() + cpu::kReadableBehind}, x.options());
  const auto* const from = input.const_data_ptr<float>();
  auto* const to = memory.mutable_data_ptr<float>();
  const int64_t bands = (out.height + kBandRows - 1) / kBandRows;
  at::parallel_for(0, x.size(0) * bands, 1, [&](int64_t begin, int64_t end) {
    const cpu::GhostModuleMemory<float> needs(kernels, module);
    const int64_t kept_size = needs.kept_row_size(out.width);
    const int64_t kept_count = needs.kept_rows(out.height, out.width);
    cpu::PackedArray<float> kept = cpu::ArrayPool(0).take<float>(kept_size * kept_count);
    for (int64_t index = begin; index < end; ++index) {
      const int64_t image = index / bands;
      const int64_t first = index % bands * kBandRows;
      const cpu::CpuGhostCall<float> call = {
          .input = {from + image * out.pixels() * module.in(), out.width * module.in(), out.height},
          .height = out.height,
          .width = out.width,
          .gate = nullptr,
          .residual = {},
          .output = {to + image * out.count(), out.row(), out.height},
          .row_sums = nullptr,
      };
      const cpu::GhostModulePart part = {
          .rows = {first, std::min(first + kBandRows, out.height)},
          .panels = module.primary.all_panels(),
          .resumes = false,
      };
      run_ghost_module<float>(kernels, module, call, part, {kept.data(), kept_size, kept_count}, nullptr);
    }
  });
  return memory.narrow(0, 0, x.size(0) * out.count())
      .view({x.size(0), out.height, out.width, out_channels})
      .permute({0, 3, 1, 2})
      .contiguous();
}

}  // namespace ghostnet
