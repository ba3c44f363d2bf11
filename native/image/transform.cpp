#include "image/transform.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <string>

#include "base/error.h"
#include "model/architecture.h"

namespace ghostnet {

const char* name_of(Interpolation interpolation) {
  switch (interpolation) {
    case Interpolation::bilinear:
      return "bilinear";
    case Interpolation::bicubic:
      return "bicubic";
  }
  return "";
}

namespace {

std::string text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", value);
  return buffer;
}

}  // namespace

void validate(const Transform& transform) {
  constexpr int64_t max_side = 8192;
  // Colours are in [0, 1]. The limits are far from any data set, and keep the input of a network so small
  // that float32 holds what follows from it.
  constexpr double max_mean = 1e4;
  constexpr double min_std = 1e-4;
  constexpr double max_std = 1e4;
  if (transform.input_size < kMinInputSide || transform.input_size > max_side) {
    throw Error(
        ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The input size is out of range",
        std::to_string(transform.input_size),
        "a whole number of pixels from " + std::to_string(kMinInputSide) + " to " + std::to_string(max_side));
  }
  if (!(transform.crop > 0.01 && transform.crop <= 1)) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The crop is out of range",
                std::to_string(transform.crop), "a number above 0.01 and at most 1");
  }
  for (size_t channel = 0; channel < 3; ++channel) {
    const double mean = transform.mean[channel];
    const double std = transform.std[channel];
    if (!(std::abs(mean) <= max_mean && std >= min_std && std <= max_std)) {
      throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT,
                  "The mean or the standard deviation of a channel is out of range",
                  text(mean) + " and " + text(std),
                  "a mean from " + text(-max_mean) + " to " + text(max_mean) +
                      " and a standard deviation from " + text(min_std) + " to " + text(max_std));
    }
  }
}

CropPlan plan_crop(const Transform& transform, int64_t height, int64_t width) {
  const auto target =
      static_cast<int64_t>(std::floor(static_cast<double>(transform.input_size) / transform.crop));
  const int64_t shorter = std::min(height, width);
  const int64_t longer = std::max(height, width);
  const double resized_longer =
      static_cast<double>(target) * static_cast<double>(longer) / static_cast<double>(shorter);
  constexpr double max_pixels = 1 << 26;
  if (resized_longer * static_cast<double>(target) > max_pixels) {
    throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "The image is too elongated to resize",
                std::to_string(width) + " x " + std::to_string(height) + " pixels",
                "a less extreme aspect ratio; crop the image first");
  }
  CropPlan plan{};
  plan.resized_height = height <= width ? target : static_cast<int64_t>(resized_longer);
  plan.resized_width = height <= width ? static_cast<int64_t>(resized_longer) : target;
  // llrint rounds half to even, like Python's round.
  plan.top = std::llrint(static_cast<double>(plan.resized_height - transform.input_size) / 2);
  plan.left = std::llrint(static_cast<double>(plan.resized_width - transform.input_size) / 2);
  return plan;
}

}  // namespace ghostnet
