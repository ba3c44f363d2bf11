/**
 * The loss of a linear classifier over embeddings, with its gradient: float64 over float32 embeddings, which
 * are read in place.
 */
#pragma once

#include <torch/torch.h>

#include <atomic>
#include <cstdint>
#include <functional>

#include "base/array.h"
#include "engine/team.h"

namespace ghostnet {

/**
 * Embeddings are moved by their mean and divided by one number, so that their mean variance is 1. So a
 * penalty means the same for every network, and the optimum is found in fewer steps.
 */
struct EmbeddingScale {
  torch::Tensor mean;  ///< float64 [D]
  double deviation = 1;

  /** @param embeddings float32 [N,D], N of at least 1 */
  static EmbeddingScale of(const ArrayView& embeddings);
};

/** Calls work(first, count) for blocks of the rows from `begin` to `end` that stay in the cache. */
void for_each_block(int64_t begin, int64_t end, const std::function<void(int64_t, int64_t)>& work);

/** Some rows of embeddings, scaled: float64 [count,D]. */
torch::Tensor scaled_rows(const ArrayView& embeddings, int64_t first, int64_t count,
                          const EmbeddingScale& scale);

/**
 * The mean cross-entropy of N embeddings plus l2 / 2 times the sum of the squared weights, without the
 * biases.
 *
 * The rows are divided into slices, whose sums are added in their order: the result has the same bits for any
 * number of threads.
 */
class SoftmaxLoss {
 public:
  /**
   * @param embeddings float32 [N,D]
   * @param labels int32 [N], from 0 to classes - 1
   */
  SoftmaxLoss(const ArrayView& embeddings, const ArrayView& labels, int64_t classes,
              const EmbeddingScale& scale, double l2);

  /**
   * @param parameters float64 [classes,D+1]: weights for scaled embeddings, and the bias of each class
   * @param gradient as parameters; overwritten
   * @param cancelled looked at between slices
   * @return the loss
   * @throws Error GHOSTNET_ABORTED
   */
  double evaluate(const torch::Tensor& parameters, torch::Tensor& gradient, Team& team,
                  const std::atomic<bool>& cancelled) const;

 private:
  struct Slice;
  void add_rows(Slice& slice, const torch::Tensor& parameters) const;

  ArrayView embeddings_;
  const int32_t* labels_;
  int64_t rows_, features_, classes_;
  const EmbeddingScale& scale_;
  double l2_;
};

/**
 * The softmax of the classes for each embedding.
 * @param embeddings float32 [M,D]
 * @param parameters as for SoftmaxLoss
 * @return float32 [M,classes]
 */
Array softmax_scores(const ArrayView& embeddings, const torch::Tensor& parameters,
                     const EmbeddingScale& scale);

}  // namespace ghostnet
