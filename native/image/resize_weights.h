/**
 * PIL's coefficients: which pixels of one axis an output pixel is a weighted sum of, and with which weights.
 *
 * Source: Pillow's Resample.c, for 8-bit images. The arithmetic is the same to the last bit: float32 for the
 * covered part, float64 for the weights, which are normalised and then rounded.
 */
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "image/transform.h"

namespace ghostnet {

/** One axis of a resize and of the crop after it. */
struct ResizedAxis {
  int64_t pixels;          ///< of the stored image
  double covered;          ///< the first part of them, in pixels: (0, pixels]
  bool mirrored;           ///< outputs are counted from the far side
  int64_t resized;         ///< pixels after the resize
  int64_t first, outputs;  ///< the part that is cropped
};

/** Sums for the outputs of an axis, as positions in the stored image. */
class ResizeWeights {
 public:
  ResizeWeights(const ResizedAxis& axis, Interpolation interpolation);

  /** The pixels of a sum. Both ends ascend with the outputs, or descend if the axis is mirrored. */
  struct Range {
    int64_t begin, end;
  };
  int64_t outputs() const { return static_cast<int64_t>(ranges_.size()); }
  const Range& range(int64_t output) const { return ranges_[static_cast<size_t>(output)]; }
  /** A weight for each pixel of the range, in units of 2^-cpu::kWeightBits. */
  std::span<const int32_t> weights(int64_t output) const;

  bool mirrored() const { return mirrored_; }
  /** The pixels of all sums. */
  Range all() const;
  /** The most pixels of a sum. */
  int64_t longest() const { return longest_; }

 private:
  bool mirrored_;
  int64_t longest_ = 0;
  std::vector<Range> ranges_;
  std::vector<size_t> starts_;  // of each sum's weights
  std::vector<int32_t> weights_;
};

}  // namespace ghostnet
