#include "runtime/ghost_module_run.h"

#include "base/error.h"
#include "operator/ghost_module_op.h"
#include "runtime/fold.h"
#include "runtime/guard.h"
#include "runtime/openmp_threads.h"
#include "runtime/tensor_bridge.h"

namespace ghostnet {

namespace {

class Weights {
 public:
  explicit Weights(const std::map<std::string, ArrayView>& arrays) : arrays_(arrays) {}

  bool has(const std::string& name) const { return arrays_.contains(name); }

  torch::Tensor get(const std::string& name) const {
    const auto found = arrays_.find(name);
    if (found == arrays_.end()) {
      throw Error(
          ErrorCode::GHOSTNET_PARAMETERS_MISMATCH, "A weight of the ghost module is missing", "no " + name,
          "primary_weight, primary_bias, cheap_weight, cheap_bias, or the state dict of a GhostModule");
    }
    if (found->second.dtype != DType::float32) {
      throw Error(ErrorCode::GHOSTNET_BAD_DTYPE, "The weight " + name + " has the wrong dtype",
                  name_of(found->second.dtype), "float32");
    }
    return borrow(found->second);
  }

  FoldedTensors fold(const std::string& name) const {
    const std::string norm = name + ".1.";
    const torch::Tensor weight = get(name + ".0.weight");
    const torch::Tensor gamma = get(norm + "weight");
    for (const char* part : {"weight", "bias", "running_mean", "running_var"}) {
      const torch::Tensor values = get(norm + part);
      if (weight.dim() != 4 || values.dim() != 1 || values.size(0) != weight.size(0)) {
        throw Error(
            ErrorCode::GHOSTNET_PARAMETERS_MISMATCH, "The batch normalisation does not match its convolution",
            norm + part + " " + text_of(values.sizes().vec()) + " for " + text_of(weight.sizes().vec()),
            "one value per row of " + name + ".0.weight");
      }
    }
    return fold_batch_norm(weight, gamma, get(norm + "bias"), get(norm + "running_mean"),
                           get(norm + "running_var"));
  }

 private:
  const std::map<std::string, ArrayView>& arrays_;
};

FoldedGhostModule folded(const Weights& weights) {
  if (!weights.has("primary_conv.0.weight")) {
    return {weights.get("primary_weight"), weights.get("primary_bias"), weights.get("cheap_weight"),
            weights.get("cheap_bias")};
  }
  const FoldedTensors primary = weights.fold("primary_conv");
  const FoldedTensors cheap = weights.fold("cheap_operation");
  return {primary.weight, primary.bias, cheap.weight, cheap.bias};
}

}  // namespace

Array run_ghost_module(const ArrayView& x, const std::map<std::string, ArrayView>& weights,
                       const GhostModuleRun& call, int threads) {
  if (x.dtype != DType::float32) {
    throw Error(ErrorCode::GHOSTNET_BAD_DTYPE, "The input has the wrong dtype", name_of(x.dtype),
                "float32 [N,C,H,W]");
  }
  if (x.shape.size() != 4) {
    throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "The input has the wrong shape", text_of(x.shape),
                "[N,C,H,W]");
  }
  Array result;
  guard([&] {
    const c10::InferenceMode inference;
    const OpenMpThreads openmp(threads);
    const FoldedGhostModule module = folded(Weights(weights));
    const int64_t all = module.primary_bias.numel() + module.cheap_bias.numel();
    result =
        copy_out(ghost_module({borrow(x), module, call.out_channels.value_or(all), call.stride, call.relu}));
  });
  return result;
}

}  // namespace ghostnet
