/**
 * PIL's resize of an 8-bit RGB image, in the plainest form: the whole image, one pass after the other, every
 * weight computed where it is used.
 */
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <ostream>
#include <vector>

#include "image/row_resizer.h"
#include "image/transform.h"

namespace ghostnet {

/** An image, how it is decoded, what it is resized to, and a checksum of PIL's result. */
struct PilCase {
  int64_t height, width, rows, columns;
  double covered_rows, covered_columns;
  int tag;
  int64_t size;
  double crop;
  Interpolation interpolation;
  uint32_t seed;
  uint64_t checksum;

  Transform transform() const { return {.input_size = size, .crop = crop, .interpolation = interpolation}; }
  StoredImage stored() const {
    return {height, width, rows, columns, covered_rows, covered_columns, orientation_of(tag)};
  }
};

inline void PrintTo(const PilCase& c, std::ostream* out) {
  *out << c.width << "x" << c.height << " decoded as " << c.covered_columns << "x" << c.covered_rows
       << ", orientation " << c.tag << ", " << name_of(c.interpolation) << " to " << c.size << ", crop "
       << c.crop << ", seed " << c.seed;
}

/** RGB. */
struct TestImage {
  int64_t height, width;
  std::vector<uint8_t> bytes;  // [height,width,3]

  TestImage(int64_t height, int64_t width)
      : height(height), width(width), bytes(static_cast<size_t>(height * width * 3)) {}
  uint8_t& at(int64_t y, int64_t x, int64_t channel) {
    return bytes[static_cast<size_t>((y * width + x) * 3 + channel)];
  }
  uint8_t at(int64_t y, int64_t x, int64_t channel) const {
    return bytes[static_cast<size_t>((y * width + x) * 3 + channel)];
  }
};

/** The formula of test/golden/make_resizes.py: noise; black and white only, which saturates, for an odd seed.
 */
inline TestImage noise(int64_t height, int64_t width, uint32_t seed) {
  TestImage image(height, width);
  for (uint32_t index = 0; index < image.bytes.size(); ++index) {
    uint32_t x = index * 2654435761u + seed;
    x ^= x >> 15;
    x *= 2246822507u;
    const auto byte = static_cast<uint8_t>(x >> 13);
    image.bytes[index] = seed % 2 == 0 ? byte : byte > 127 ? 255 : 0;
  }
  return image;
}

inline TestImage mirrored_left_to_right(const TestImage& image) {
  TestImage result(image.height, image.width);
  for (int64_t y = 0; y < image.height; ++y)
    for (int64_t x = 0; x < image.width; ++x)
      for (int64_t c = 0; c < 3; ++c) result.at(y, x, c) = image.at(y, image.width - 1 - x, c);
  return result;
}

inline TestImage transposed(const TestImage& image) {
  TestImage result(image.width, image.height);
  for (int64_t y = 0; y < result.height; ++y)
    for (int64_t x = 0; x < result.width; ++x)
      for (int64_t c = 0; c < 3; ++c) result.at(y, x, c) = image.at(x, y, c);
  return result;
}

inline TestImage mirrored_top_to_bottom(const TestImage& image) {
  return transposed(mirrored_left_to_right(transposed(image)));
}

inline TestImage rotated_clockwise(const TestImage& image) {
  return mirrored_left_to_right(transposed(image));
}

/** What the names of the values in the Exif standard say. */
inline TestImage upright(const TestImage& image, int tag) {
  switch (tag) {
    case 2:
      return mirrored_left_to_right(image);
    case 3:
      return rotated_clockwise(rotated_clockwise(image));
    case 4:
      return mirrored_top_to_bottom(image);
    case 5:
      return transposed(image);
    case 6:
      return rotated_clockwise(image);
    case 7:
      return rotated_clockwise(rotated_clockwise(transposed(image)));
    case 8:
      return rotated_clockwise(rotated_clockwise(rotated_clockwise(image)));
    default:
      return image;
  }
}

inline double pil_filter(Interpolation interpolation, double x) {
  x = std::fabs(x);
  if (interpolation == Interpolation::bilinear) return x < 1.0 ? 1.0 - x : 0.0;
  const double a = -0.5;
  if (x < 1.0) return ((a + 2.0) * x - (a + 3.0)) * x * x + 1;
  if (x < 2.0) return (((x - 5) * x + 8) * x - 4) * a;
  return 0.0;
}

/** PIL's pass along the rows, to `width` pixels, from the part of each row between two positions. */
inline TestImage pil_pass(const TestImage& image, int64_t width, float from, float to,
                          Interpolation interpolation) {
  TestImage result(image.height, width);
  const double scale = static_cast<double>(to - from) / static_cast<double>(width);
  const double filter_scale = std::max(scale, 1.0);
  const double support = (interpolation == Interpolation::bicubic ? 2.0 : 1.0) * filter_scale;
  for (int64_t x = 0; x < width; ++x) {
    const double centre = from + (static_cast<double>(x) + 0.5) * scale;
    const int first = std::max(static_cast<int>(centre - support + 0.5), 0);
    const int end = std::min(static_cast<int>(centre + support + 0.5), static_cast<int>(image.width));
    std::vector<double> weights;
    double sum = 0;
    for (int pixel = first; pixel < end; ++pixel) {
      weights.push_back(pil_filter(interpolation, (pixel - centre + 0.5) * (1.0 / filter_scale)));
      sum += weights.back();
    }
    std::vector<int64_t> fixed;
    for (const double weight : weights) {
      fixed.push_back(static_cast<int64_t>((weight < 0 ? -0.5 : 0.5) + weight / sum * (1 << 22)));
    }
    for (int64_t y = 0; y < image.height; ++y) {
      for (int64_t c = 0; c < 3; ++c) {
        int64_t total = 1 << 21;
        for (int pixel = first; pixel < end; ++pixel) {
          total += image.at(y, pixel, c) * fixed[static_cast<size_t>(pixel - first)];
        }
        result.at(y, x, c) = static_cast<uint8_t>(std::clamp<int64_t>(total >> 22, 0, 255));
      }
    }
  }
  return result;
}

/** The covered part of an upright image: from left, top to right, bottom. */
struct Box {
  double left, top, right, bottom;
};

inline TestImage pil_resize_and_crop(const Transform& transform, const CropPlan& plan, const TestImage& image,
                                     const Box& box) {
  const Interpolation filter = transform.interpolation;
  const auto horizontal = [&](const TestImage& from) {
    return pil_pass(from, plan.resized_width, static_cast<float>(box.left), static_cast<float>(box.right),
                    filter);
  };
  const auto vertical = [&](const TestImage& from) {
    return transposed(pil_pass(transposed(from), plan.resized_height, static_cast<float>(box.top),
                               static_cast<float>(box.bottom), filter));
  };
  const int64_t fewer_rows = image.height - plan.resized_height;
  const bool vertical_first = fewer_rows > 0 && fewer_rows > 2 * (image.width - plan.resized_width);
  const TestImage resized = vertical_first ? horizontal(vertical(image)) : vertical(horizontal(image));
  TestImage crop(transform.input_size, transform.input_size);
  for (int64_t y = 0; y < crop.height; ++y)
    for (int64_t x = 0; x < crop.width; ++x)
      for (int64_t c = 0; c < 3; ++c) crop.at(y, x, c) = resized.at(y + plan.top, x + plan.left, c);
  return crop;
}

}  // namespace ghostnet
