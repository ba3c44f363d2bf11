/**
 * The input batches of the engines.
 */
#pragma once

#include <cstdint>

#include "base/array.h"
#include "image/transform.h"

namespace ghostnet {

/** The shape of a batch. */
struct InputShape {
  DType dtype;  ///< uint8 of [N,H,W,3], float32 of [N,3,H,W]
  int64_t batch, height, width;

  int64_t bytes_per_image() const { return 3 * height * width * static_cast<int64_t>(size_of(dtype)); }
  bool operator==(const InputShape&) const = default;
};

/** @param batch uint8 [N,H,W,3] or float32 [N,3,H,W] */
inline InputShape input_shape_of(const ArrayView& batch) {
  const size_t height = batch.dtype == DType::uint8 ? 1 : 2;
  return {batch.dtype, batch.shape[0], batch.shape[height], batch.shape[height + 1]};
}

/** Normalises the bytes of a channel: byte * scale + shift. */
struct Normalisation {
  float scale[3];
  float shift[3];

  bool operator==(const Normalisation&) const = default;
};

inline Normalisation normalisation_of(const Transform& transform) {
  Normalisation normalisation;
  for (size_t channel = 0; channel < 3; ++channel) {
    normalisation.scale[channel] = static_cast<float>(1 / (255 * transform.std[channel]));
    normalisation.shift[channel] = static_cast<float>(-transform.mean[channel] / transform.std[channel]);
  }
  return normalisation;
}

}  // namespace ghostnet
