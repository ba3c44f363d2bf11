/**
 * From a decoded image to the bytes of a network's input.
 *
 * Source: the evaluation transform of timm, with the same sizes and offsets to the pixel. The shorter
 * side becomes floor(size / crop); the longer side keeps the ratio and is truncated to a whole number; the
 * centre is cropped at an offset rounded half to even.
 */
#pragma once

#include <array>
#include <cstdint>

namespace ghostnet {

enum class Interpolation { bilinear, bicubic };

inline constexpr Interpolation kInterpolations[] = {Interpolation::bilinear, Interpolation::bicubic};

const char* name_of(Interpolation interpolation);

/** The transform a network was trained with. The defaults are those with which timm evaluates
 * ghostnet_100.in1k. */
struct Transform {
  int64_t input_size = 224;  ///< side of the square input in pixels
  double crop = 0.875;       ///< share of the shorter side that the input covers, (0, 1]
  Interpolation interpolation = Interpolation::bicubic;
  std::array<double, 3> mean = {0.485, 0.456, 0.406};  ///< of RGB in [0, 1]
  std::array<double, 3> std = {0.229, 0.224, 0.225};   ///< of RGB in [0, 1], above 0

  bool operator==(const Transform&) const = default;
};

/** @throws Error GHOSTNET_INVALID_ARGUMENT if a number is out of range */
void validate(const Transform& transform);

/** The resized size of an image and the position of the crop in it, in pixels. */
struct CropPlan {
  int64_t resized_height, resized_width;
  int64_t top, left;
};

/** @throws Error GHOSTNET_BAD_SHAPE if the image is so elongated that its resized form would be too large */
CropPlan plan_crop(const Transform& transform, int64_t height, int64_t width);

}  // namespace ghostnet
