#include "operator/ghost_module_op.h"

#include <torch/library.h>

#include <memory>

#include "operator/ghost_module_cpu.h"

namespace ghostnet {

namespace {

constexpr const char* kSchema =
    "ghost_module(Tensor x, Tensor primary_weight, Tensor primary_bias, Tensor cheap_weight, "
    "Tensor cheap_bias, int out_channels, int stride=1, bool relu=True) -> Tensor";

}  // namespace

void check_ghost_module(const GhostModuleArguments& arguments) {
  const auto& [x, weights, out_channels, stride, relu] = arguments;
  const auto& [primary_weight, primary_bias, cheap_weight, cheap_bias] = weights;
  TORCH_CHECK_VALUE(x.dim() == 4, "x must be [N,C,H,W], found ", x.sizes());
  TORCH_CHECK_VALUE(x.size(1) >= 1, "x must have a channel, found ", x.sizes());
  TORCH_CHECK_VALUE(primary_weight.dim() == 4 && primary_weight.size(2) == primary_weight.size(3) &&
                        primary_weight.size(2) % 2 == 1,
                    "primary_weight must be [I,C,k,k] with k odd, found ", primary_weight.sizes());
  TORCH_CHECK_VALUE(primary_weight.size(1) == x.size(1), "primary_weight takes ", primary_weight.size(1),
                    " channels, x has ", x.size(1));
  const int64_t intrinsic = primary_weight.size(0);
  TORCH_CHECK_VALUE(cheap_weight.dim() == 4 && cheap_weight.size(1) == 1 &&
                        cheap_weight.size(2) == cheap_weight.size(3) && cheap_weight.size(2) % 2 == 1,
                    "cheap_weight must be [I*(ratio-1),1,d,d] with d odd, found ", cheap_weight.sizes());
  const int64_t ghosts = cheap_weight.size(0);
  TORCH_CHECK_VALUE(intrinsic > 0 && ghosts > 0 && ghosts % intrinsic == 0,
                    "cheap_weight must have a multiple of ", intrinsic, " rows, found ", ghosts);
  TORCH_CHECK_VALUE(primary_bias.dim() == 1 && primary_bias.size(0) == intrinsic, "primary_bias must be [",
                    intrinsic, "], found ", primary_bias.sizes());
  TORCH_CHECK_VALUE(cheap_bias.dim() == 1 && cheap_bias.size(0) == ghosts, "cheap_bias must be [", ghosts,
                    "], found ", cheap_bias.sizes());
  TORCH_CHECK_VALUE(out_channels >= 1 && out_channels <= intrinsic + ghosts,
                    "out_channels must be from 1 to ", intrinsic + ghosts, ", found ", out_channels);
  TORCH_CHECK_VALUE(stride >= 1, "stride must be at least 1, found ", stride);
  TORCH_CHECK_VALUE(x.size(2) >= 1 && x.size(3) >= 1, "x must have a plane of at least 1x1, found ",
                    x.sizes());
}

namespace {

torch::Tensor ghost_module_meta(const GhostModuleArguments& arguments) {
  check_ghost_module(arguments);
  const torch::Tensor& x = arguments.x;
  const int64_t kernel = arguments.weights.primary_weight.size(2);
  const auto side = [&](int64_t length) {
    return (length + 2 * (kernel / 2) - kernel) / arguments.stride + 1;
  };
  return torch::empty({x.size(0), arguments.out_channels, side(x.size(2)), side(x.size(3))}, x.options());
}

}  // namespace

torch::Tensor ghost_module_reference(const GhostModuleArguments& arguments) {
  check_ghost_module(arguments);
  const auto& [x, weights, out_channels, stride, relu] = arguments;
  const auto& [primary_weight, primary_bias, cheap_weight, cheap_bias] = weights;
  torch::Tensor intrinsic = at::conv2d(x, primary_weight, primary_bias, stride, primary_weight.size(2) / 2);
  if (relu) intrinsic = at::relu(intrinsic);
  torch::Tensor ghosts =
      at::conv2d(intrinsic, cheap_weight, cheap_bias, 1, cheap_weight.size(2) / 2, 1, intrinsic.size(1));
  if (relu) ghosts = at::relu(ghosts);
  return at::cat({intrinsic, ghosts}, 1).narrow(1, 0, out_channels).contiguous();
}

void register_operators() {
  if (c10::Dispatcher::singleton().findSchema({"ghostnet::ghost_module", ""})) return;
  // Kept for the life of the process: unregistering at exit would race with a run that has not ended.
  static auto* library =
      new torch::Library(torch::Library::DEF, "ghostnet", std::nullopt, __FILE__, __LINE__);
  library->def(kSchema);
  library->impl("ghost_module", torch::dispatch(c10::DispatchKey::CompositeExplicitAutograd,
                                                dispatched<ghost_module_reference>));
  library->impl("ghost_module", torch::dispatch(c10::DispatchKey::CPU, dispatched<ghost_module_cpu>));
  library->impl("ghost_module", torch::dispatch(c10::DispatchKey::Meta, dispatched<ghost_module_meta>));
}

torch::Tensor ghost_module(const GhostModuleArguments& arguments) {
  using Signature = decltype(dispatched<ghost_module_reference>);
  static const auto op =
      c10::Dispatcher::singleton().findSchemaOrThrow("ghostnet::ghost_module", "").typed<Signature>();
  const auto& [primary_weight, primary_bias, cheap_weight, cheap_bias] = arguments.weights;
  return op.call(arguments.x, primary_weight, primary_bias, cheap_weight, cheap_bias, arguments.out_channels,
                 arguments.stride, arguments.relu);
}

}  // namespace ghostnet
