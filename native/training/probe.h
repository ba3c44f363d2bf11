/**
 * A linear probe: the classifier of a network, fitted to the embeddings of labelled images.
 */
#pragma once

#include <atomic>
#include <cstdint>

#include "base/array.h"
#include "engine/team.h"

namespace ghostnet {

/** What a classifier is fitted to. The views must stay valid during the call. */
struct ProbeTask {
  ArrayView embeddings;  ///< float32 [N,D], finite
  ArrayView labels;      ///< int32 [N]
  ArrayView validation;  ///< float32 [M,D], whose classes are computed; M may be 0
  int64_t classes = 0;   ///< at least 2
  double l2 = 0;         ///< penalty of the squared weights, for embeddings whose mean variance is 1
  /** float64 [classes,D+1]: the parameters of another fit, to start from; zeros if `data` is null. */
  ArrayView start;
  /** float64 [D,D]: the covariance of another fit of these embeddings; computed if `data` is null. */
  ArrayView covariance;
  int64_t most_steps = 0;  ///< of L-BFGS
  double tolerance = 0;    ///< the largest derivative at which the fit ends
};

struct ProbeFit {
  Array weight;      ///< float32 [classes,D], for embeddings as they are
  Array bias;        ///< float32 [classes]
  Array parameters;  ///< float64 [classes,D+1], for ProbeTask::start
  Array covariance;  ///< float64 [D,D] or [0,0], for ProbeTask::covariance
  Array scores;      ///< float32 [M,classes]: the softmax for each image of `validation`
  double loss = 0;   ///< mean cross-entropy and penalty of the embeddings
  double largest_derivative = 0;
  int64_t evaluations = 0;  ///< of the loss
};

/**
 * Minimises the mean cross-entropy and an L2 penalty by L-BFGS with the strong Wolfe conditions, in the
 * coordinates of Curvature. The same
 * task gives the same bits, for any number of threads.
 * @param cancelled ends the work soon, with GHOSTNET_ABORTED
 * @throws Error GHOSTNET_BAD_DTYPE, GHOSTNET_BAD_SHAPE, GHOSTNET_INVALID_ARGUMENT, GHOSTNET_OUT_OF_MEMORY
 */
ProbeFit fit_probe(const ProbeTask& task, Team& team, const std::atomic<bool>& cancelled);

}  // namespace ghostnet
