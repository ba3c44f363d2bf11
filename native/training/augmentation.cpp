#include "training/augmentation.h"

#include <ATen/Parallel.h>

#include <cmath>
#include <utility>

namespace ghostnet {

namespace {

constexpr int kTries = 10;
constexpr double kMostRatio = 4.0 / 3;

Crop centre(int64_t side, int64_t size) {
  const int64_t offset = (side - size) / 2;
  return {offset, offset, size, size};
}

/** @param pixels uint8 [H,W,3] @return uint8 [size,size,3] */
torch::Tensor resized(const torch::Tensor& pixels, int64_t size, Interpolation interpolation) {
  const torch::Tensor image = pixels.contiguous().permute({2, 0, 1}).unsqueeze(0);
  const std::vector<int64_t> sides = {size, size};
  const torch::Tensor result = interpolation == Interpolation::bicubic
                                   ? at::_upsample_bicubic2d_aa(image, sides, false)
                                   : at::_upsample_bilinear2d_aa(image, sides, false);
  return result.squeeze(0).permute({1, 2, 0});
}

torch::Tensor channel_values(const std::array<double, 3>& values, torch::ScalarType dtype) {
  return torch::tensor({values[0], values[1], values[2]}, dtype);
}

torch::Tensor grey(const torch::Tensor& pixels) {
  return pixels.matmul(channel_values({0.299, 0.587, 0.114}, pixels.scalar_type())).unsqueeze(-1);
}

}  // namespace

Crop random_crop(Random& random, int64_t side, double least_area) {
  const auto all = static_cast<double>(side * side);
  for (int attempt = 0; attempt < kTries; ++attempt) {
    const double area = all * random.uniform(least_area, 1);
    const double ratio = std::exp(random.uniform(-std::log(kMostRatio), std::log(kMostRatio)));
    const int64_t width = std::llround(std::sqrt(area * ratio));
    const int64_t height = std::llround(std::sqrt(area / ratio));
    if (width < 1 || height < 1 || width > side || height > side) continue;
    const int64_t top = random.below(side - height + 1);
    return {top, random.below(side - width + 1), height, width};
  }
  return centre(side, side);
}

torch::Tensor jittered(Random& random, torch::Tensor pixels, double most) {
  int order[] = {0, 1, 2};
  for (int last = 2; last > 0; --last) std::swap(order[last], order[random.below(last + 1)]);
  for (const int kind : order) {
    const double factor = random.uniform(1 - most, 1 + most);
    // Brightness blends with black, contrast with the mean grey, saturation with the grey of each pixel.
    torch::Tensor other;
    if (kind == 1) other = grey(pixels).mean();
    if (kind == 2) other = grey(pixels);
    pixels = pixels * factor;
    if (other.defined()) pixels = pixels + other * (1 - factor);
    pixels = pixels.clamp(0, 255);
  }
  return pixels;
}

torch::Tensor augment(const Pictures& pictures, const Augmentation& augmentation, const Transform& transform,
                      uint64_t seed, torch::ScalarType dtype) {
  const int64_t count = pictures.pixels.size(0);
  const int64_t side = pictures.pixels.size(1);
  const int64_t size = transform.input_size;
  const torch::Tensor inputs = torch::empty({count, size, size, 3}, dtype);
  const auto change = [&](int64_t index) {
    const auto sample = static_cast<uint64_t>(pictures.samples[static_cast<size_t>(index)]);
    Random random(seed_of(seed, Draw::sample, static_cast<uint64_t>(pictures.epoch), sample));
    const bool is_random = augmentation.least_area < 1;
    const Crop crop = is_random ? random_crop(random, side, augmentation.least_area) : centre(side, size);
    torch::Tensor pixels =
        pictures.pixels[index].narrow(0, crop.top, crop.height).narrow(1, crop.left, crop.width);
    if (crop.height != size || crop.width != size) pixels = resized(pixels, size, transform.interpolation);
    if (augmentation.flip && random.uniform() < 0.5) pixels = pixels.flip({1});
    pixels = pixels.to(dtype);
    if (augmentation.colour_jitter > 0) pixels = jittered(random, pixels, augmentation.colour_jitter);
    inputs[index].copy_(pixels);
  };
  at::parallel_for(0, count, 1, [&](int64_t begin, int64_t end) {
    const torch::NoGradGuard no_grad;  // each thread has its own
    for (int64_t index = begin; index < end; ++index) change(index);
  });
  inputs.div_(255).sub_(channel_values(transform.mean, dtype)).div_(channel_values(transform.std, dtype));
  return inputs.permute({0, 3, 1, 2});
}

}  // namespace ghostnet
