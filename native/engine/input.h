/**
 * The input batches of the engines.
 */
#pragma once

#include <cstdint>

#include "base/array.h"
#include "image/transform.h"

namespace ghostnet {

/** The form of the images of a batch: uint8 [N,H,W,3] or float32 [N,3,H,W]. */
enum class Input { bytes_nhwc, floats_nchw };

/** The kind of its values. */
constexpr DType dtype_of(Input input) {
  switch (input) {
    case Input::bytes_nhwc:
      return DType::uint8;
    case Input::floats_nchw:
      break;
  }
  return DType::float32;
}

/** The shape of a batch. */
struct InputShape {
  Input input;
  int64_t batch, height, width;

  int64_t bytes_per_image() const {
    return 3 * height * width * static_cast<int64_t>(size_of(dtype_of(input)));
  }
  bool operator==(const InputShape&) const = default;
};

/** @param batch uint8 [N,H,W,3] or float32 [N,3,H,W] */
inline InputShape input_shape_of(const ArrayView& batch) {
  const bool bytes = batch.dtype == DType::uint8;
  const size_t height = bytes ? 1 : 2;
  return {bytes ? Input::bytes_nhwc : Input::floats_nchw, batch.shape[0], batch.shape[height],
          batch.shape[height + 1]};
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
