#include "training/settings.h"

#include <cmath>
#include <limits>
#include <string>

#include "base/error.h"

namespace ghostnet {

namespace {

constexpr double kAny = std::numeric_limits<double>::max();

// A comparison with NaN is false.
void check(const char* name, double value, bool is_in_range, const char* expected) {
  if (is_in_range && std::isfinite(value)) return;
  throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT,
              std::string("A setting of the training is out of range: ") + name, std::to_string(value),
              expected);
}

}  // namespace

const char* name_of(OptimizerKind kind) { return kind == OptimizerKind::sgd ? "sgd" : "adamw"; }

void validate(const TrainingSettings& settings) {
  const auto share = [](const char* name, double value) {
    check(name, value, value >= 0 && value < 1, "a number of at least 0, below 1");
  };
  const auto positive = [](const char* name, double value) {
    check(name, value, value >= 0 && value <= kAny, "a number of at least 0");
  };
  const Augmentation& augmentation = settings.augmentation;
  positive("learningRate", settings.schedule.peak);
  positive("warmupSteps", static_cast<double>(settings.schedule.warmup_steps));
  positive("totalSteps", static_cast<double>(settings.schedule.total_steps));
  positive("weightDecay", settings.weight_decay);
  positive("maxGradientNorm", settings.gradient_norm);
  positive("mixup", augmentation.mixup);
  positive("cutmix", augmentation.cutmix);
  share("momentum", settings.momentum);
  share("labelSmoothing", settings.label_smoothing);
  share("ema", settings.average);
  check("leastArea", augmentation.least_area, augmentation.least_area > 0 && augmentation.least_area <= 1,
        "a number above 0, at most 1");
  check("colorJitter", augmentation.colour_jitter,
        augmentation.colour_jitter >= 0 && augmentation.colour_jitter <= 1, "a number from 0 to 1");
  if (settings.dtype != DType::float32 && settings.dtype != DType::float64) {
    throw Error(ErrorCode::GHOSTNET_BAD_DTYPE, "A network cannot be trained in this dtype",
                name_of(settings.dtype), "float32 or float64");
  }
}

}  // namespace ghostnet
