#pragma once

#include <torch/torch.h>

#include "training/augmentation.h"

namespace ghostnet {

/** Inputs and what the network is to say of them. */
struct Examples {
  torch::Tensor inputs;   ///< [N,3,H,W]
  torch::Tensor targets;  ///< int64 [N], or the share of each class, [N,classes]
};

/**
 * Mixes each picture with another of the step, and their classes by the same share: by a weighted sum (mixup)
 * or by a rectangle (cutmix); if both are on, half of the steps by either. The examples stay as they are if
 * both are off.
 *
 * Source: arXiv 1710.09412 (mixup), arXiv 1905.04899 (cutmix).
 * @param examples with int64 targets
 * @param seed of the step
 */
Examples mixed(const Examples& examples, const Augmentation& augmentation, int64_t classes, uint64_t seed);

}  // namespace ghostnet
