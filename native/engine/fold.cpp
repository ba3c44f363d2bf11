#include "engine/fold.h"

namespace ghostnet {

FoldedConv fold_batch_norm(const torch::Tensor& weight, const torch::Tensor& gamma, const torch::Tensor& beta,
                           const torch::Tensor& mean, const torch::Tensor& variance, double epsilon) {
  const auto wide = [](const torch::Tensor& tensor) { return tensor.to(torch::kFloat64); };
  const torch::Tensor factor = wide(gamma) / (wide(variance) + epsilon).sqrt();
  return {(wide(weight) * factor.view({-1, 1, 1, 1})).to(torch::kFloat32),
          (wide(beta) - wide(mean) * factor).to(torch::kFloat32)};
}

}  // namespace ghostnet
