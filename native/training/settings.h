#pragma once

#include <cstdint>

#include "base/array.h"
#include "training/schedule.h"

namespace ghostnet {

enum class OptimizerKind { sgd, adamw };

inline constexpr OptimizerKind kOptimizerKinds[] = {OptimizerKind::sgd, OptimizerKind::adamw};

const char* name_of(OptimizerKind kind);

/** How training pictures are changed, each time in another way. */
struct Augmentation {
  bool flip = false;      ///< half of the pictures are mirrored
  double least_area = 1;  ///< share of the picture that a random crop covers at least, (0, 1]; 1: the centre
  double colour_jitter = 0;  ///< brightness, contrast and saturation change by at most this share, [0, 1]
  double mixup = 0;          ///< alpha of the Beta distribution; 0: no mixup
  double cutmix = 0;         ///< alpha of the Beta distribution; 0: no cutmix
};

struct TrainingSettings {
  OptimizerKind optimizer = OptimizerKind::adamw;
  Schedule schedule = {};
  double momentum = 0.9;  ///< of SGD, [0, 1); Nesterov's
  double weight_decay = 0;
  double label_smoothing = 0;  ///< [0, 1)
  double average = 0;          ///< the decay of the moving average, [0, 1); 0: none
  double gradient_norm = 0;    ///< the largest norm of all gradients together; 0: any
  Augmentation augmentation = {};
  uint64_t seed = 0;
  DType dtype = DType::float32;  ///< or float64
  int threads = 1;
};

/** @throws Error GHOSTNET_INVALID_ARGUMENT if a number is out of range */
void validate(const TrainingSettings& settings);

}  // namespace ghostnet
