#include "runtime/resize.h"

#include <ATen/ATen.h>
#include <ATen/ops/_upsample_bicubic2d_aa.h>
#include <ATen/ops/_upsample_bilinear2d_aa.h>

namespace ghostnet {

void resize_and_crop(const Transform& transform, const ArrayView& image, uint8_t* out) {
  const int64_t height = image.shape.at(0);
  const int64_t width = image.shape.at(1);
  const CropPlan plan = plan_crop(transform, height, width);
  const c10::InferenceMode inference;
  // The bytes of an image are already a channels-last tensor; LibTorch only reads them.
  const at::Tensor pixels =
      at::from_blob(const_cast<void*>(image.data), {1, height, width, 3}, at::kByte).permute({0, 3, 1, 2});
  const std::array<int64_t, 2> size = {plan.resized_height, plan.resized_width};
  const at::Tensor resized = transform.interpolation == Interpolation::bicubic
                                 ? at::_upsample_bicubic2d_aa(pixels, size, false)
                                 : at::_upsample_bilinear2d_aa(pixels, size, false);
  const at::Tensor crop = resized.narrow(2, plan.top, transform.input_size)
                              .narrow(3, plan.left, transform.input_size)
                              .permute({0, 2, 3, 1});
  at::from_blob(out, crop.sizes(), at::kByte).copy_(crop);
}

}  // namespace ghostnet
