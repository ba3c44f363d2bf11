#pragma once

#include "base/array.h"
#include "image/transform.h"

namespace ghostnet {

/**
 * Resizes with antialiasing, as PIL does, and crops.
 * @param image uint8 [H,W,3], RGB
 * @param out uint8 [input_size,input_size,3], RGB; every element is written
 */
void resize_and_crop(const Transform& transform, const ArrayView& image, uint8_t* out);

}  // namespace ghostnet
