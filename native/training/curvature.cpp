#include "training/curvature.h"

#include <algorithm>
#include <cmath>

namespace ghostnet {

namespace {

/** Embeddings that are enough for the curvature. */
constexpr int64_t kMostRows = 8192;

/** With fewer embeddings, the loss costs less than the change of variables. */
constexpr int64_t kFewRows = 256;

/** Without a penalty, the curvature may be 0 in some directions. */
constexpr double kLeastPenalty = 1e-5;

torch::Tensor joined(const torch::Tensor& weights, const torch::Tensor& biases) {
  return torch::cat({weights, biases.unsqueeze(1)}, 1);
}

}  // namespace

int64_t covariance_side(const std::vector<int64_t>& embeddings) {
  return embeddings[0] < kFewRows ? 0 : embeddings[1];
}

torch::Tensor covariance_of(const ArrayView& embeddings, const EmbeddingScale& scale) {
  const int64_t rows = embeddings.shape[0];
  const int64_t features = embeddings.shape[1];
  if (covariance_side(embeddings.shape) == 0) return torch::zeros({0, 0}, torch::kFloat64);
  const int64_t step = (rows + kMostRows - 1) / kMostRows;
  torch::Tensor sum = torch::zeros({features, features}, torch::kFloat64);
  int64_t used = 0;
  for_each_block(0, rows, [&](int64_t first, int64_t count) {
    const int64_t skip = (step - first % step) % step;
    if (skip >= count) return;
    const torch::Tensor block = scaled_rows(embeddings, first, count, scale).slice(0, skip, count, step);
    sum.addmm_(block.t(), block);
    used += block.size(0);
  });
  return sum.div_(used);
}

Curvature::Curvature(const torch::Tensor& covariance, int64_t classes, double l2) {
  if (covariance.numel() == 0) return;
  const double share = 1.0 / static_cast<double>(classes);
  const double score = share * (1 - share);
  torch::Tensor curvature = covariance * score;
  curvature.diagonal().add_(std::max(l2, kLeastPenalty));
  factor_ = torch::linalg_cholesky(curvature);
  bias_ = std::sqrt(score);
}

torch::Tensor Curvature::parameters_of(const torch::Tensor& round) const {
  if (!factor_.defined()) return round;
  const int64_t features = factor_.size(0);
  const torch::Tensor weights =
      torch::linalg_solve_triangular(factor_, round.narrow(1, 0, features), /*upper=*/false, /*left=*/false);
  return joined(weights, round.select(1, features) / bias_);
}

torch::Tensor Curvature::round_of(const torch::Tensor& parameters) const {
  if (!factor_.defined()) return parameters.clone();
  const int64_t features = factor_.size(0);
  return joined(parameters.narrow(1, 0, features).mm(factor_), parameters.select(1, features) * bias_);
}

torch::Tensor Curvature::round_gradient(const torch::Tensor& gradient) const {
  if (!factor_.defined()) return gradient.clone();
  const int64_t features = factor_.size(0);
  const torch::Tensor weights = torch::linalg_solve_triangular(factor_.t(), gradient.narrow(1, 0, features),
                                                               /*upper=*/true, /*left=*/false);
  return joined(weights, gradient.select(1, features) / bias_);
}

}  // namespace ghostnet
