#include "training/mixing.h"

#include <ATen/CPUGeneratorImpl.h>

#include <algorithm>
#include <cmath>

namespace ghostnet {

namespace {

double beta(double alpha, uint64_t seed) {
  const at::Generator generator = at::detail::createCPUGenerator(seed);
  const torch::Tensor both = torch::full({2}, alpha, torch::kFloat64);
  return at::_sample_dirichlet(both, generator)[0].item<double>();
}

/** A rectangle of the share `1 - kept` of a plane, as far as it lies in the plane. */
Crop rectangle(Random& random, int64_t height, int64_t width, double kept) {
  const double share = std::sqrt(1 - kept);
  const auto half_height = static_cast<int64_t>(share * static_cast<double>(height)) / 2;
  const auto half_width = static_cast<int64_t>(share * static_cast<double>(width)) / 2;
  const int64_t y = random.below(height);
  const int64_t x = random.below(width);
  const int64_t top = std::max<int64_t>(y - half_height, 0);
  const int64_t left = std::max<int64_t>(x - half_width, 0);
  return {top, left, std::min(y + half_height, height) - top, std::min(x + half_width, width) - left};
}

}  // namespace

Examples mixed(const Examples& examples, const Augmentation& augmentation, int64_t classes, uint64_t seed) {
  if (augmentation.mixup <= 0 && augmentation.cutmix <= 0) return examples;
  Random random(seed);
  const bool is_cutmix = augmentation.mixup <= 0 || (augmentation.cutmix > 0 && random.uniform() < 0.5);
  double kept = beta(is_cutmix ? augmentation.cutmix : augmentation.mixup, random.next());
  torch::Tensor inputs = examples.inputs;
  const torch::Tensor others = inputs.flip({0});
  if (is_cutmix) {
    const int64_t height = inputs.size(2), width = inputs.size(3);
    const Crop part = rectangle(random, height, width, kept);
    const auto within = [&](const torch::Tensor& planes) {
      return planes.narrow(2, part.top, part.height).narrow(3, part.left, part.width);
    };
    within(inputs).copy_(within(others));
    kept = 1 - static_cast<double>(part.height * part.width) / static_cast<double>(height * width);
  } else {
    inputs = inputs * kept + others * (1 - kept);
  }
  const torch::Tensor own = torch::one_hot(examples.targets, classes).to(inputs.scalar_type());
  return {inputs, own * kept + own.flip({0}) * (1 - kept)};
}

}  // namespace ghostnet
