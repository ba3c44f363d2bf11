/**
 * Coordinates in which the loss of a linear classifier is nearly round, so that L-BFGS needs tens of steps in
 * place of hundreds. The optimum is the same.
 */
#pragma once

#include <torch/torch.h>

#include <cstdint>

#include "base/array.h"
#include "training/softmax_loss.h"

namespace ghostnet {

/**
 * The covariance of scaled embeddings, or of some of them, evenly spaced, if there are many: its work is
 * bounded.
 * @param embeddings float32 [N,D]
 * @return float64 [D,D]; [0,0] if there are so few that round coordinates would cost more than they save
 */
torch::Tensor covariance_of(const ArrayView& embeddings, const EmbeddingScale& scale);

/** The sides of that covariance for [N,D]. */
int64_t covariance_side(const std::vector<int64_t>& embeddings);

/** A change of variables by the Cholesky factor of the curvature that the loss has where all scores are
 * equal. */
class Curvature {
 public:
  /** @param covariance as covariance_of returns it; without one, all coordinates stay as they are */
  Curvature(const torch::Tensor& covariance, int64_t classes, double l2);

  /** @return the parameters for SoftmaxLoss, float64 [classes,D+1], of round ones of the same shape */
  torch::Tensor parameters_of(const torch::Tensor& round) const;
  /** The inverse of parameters_of. */
  torch::Tensor round_of(const torch::Tensor& parameters) const;
  /** The gradient by the round parameters. @param gradient by the parameters */
  torch::Tensor round_gradient(const torch::Tensor& gradient) const;

 private:
  torch::Tensor factor_;  ///< lower triangular; undefined without a covariance
  double bias_ = 1;       ///< the same for the bias
};

}  // namespace ghostnet
