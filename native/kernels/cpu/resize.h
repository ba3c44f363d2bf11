/**
 * The calls of the kernels that resize images of 8-bit RGB, in PIL's arithmetic: a weight is a whole number
 * of 2^-kWeightBits, a sum is exact, and its quotient is rounded to the nearest byte and saturated.
 *
 * A weight is split into high*kWeightBase + low, with 0 <= low < kWeightBase, so that both parts are int16,
 * whose products in pairs the processors add exactly. Sums of the parts may wrap around; the total, which is
 * within int32, is right nevertheless.
 */
#pragma once

#include <cstdint>

namespace ghostnet::cpu {

inline constexpr int kWeightBits = 22;
inline constexpr int kWeightBaseBits = 11;
inline constexpr int32_t kWeightBase = 1 << kWeightBaseBits;

/** Pixels whose weights are stored together in a pass along rows. */
inline constexpr int64_t kTapsAlong = 4;
/** Rows whose weights are stored together in a pass across rows. */
inline constexpr int64_t kTapsAcross = 2;

/** Bytes that a pass along rows may read after the last pixel that has a weight, be it 0. */
inline constexpr int64_t kReadAfter = 8;

/** Sums of neighbouring pixels of a row, for several rows. */
struct ResizeAlong {
  /** [count] rows. Up to kReadAfter bytes after the last pixel that has a weight are read. */
  const uint8_t* const* rows;
  int64_t count;
  int64_t pixels;          ///< of an output row
  const int64_t* offsets;  ///< [pixels] bytes from the start of a row to the first pixel of a sum
  const int16_t* weights;  ///< [pixels][groups][2][kTapsAlong]: the high parts of a group, then the low parts
  int64_t groups;          ///< of kTapsAlong pixels in a sum
  uint8_t* const* out;     ///< [count] rows
  int64_t out_stride;      ///< bytes from one output pixel to the next
};

/** Sums of the bytes of several rows, one below another. */
struct ResizeAcross {
  /** [groups*kTapsAcross] rows, readable to a multiple of kReadableTogether bytes. */
  const uint8_t* const* rows;
  int64_t groups;
  const int16_t* weights;  ///< [groups][2][kTapsAcross]: the high parts of a group, then the low parts
  int64_t bytes;           ///< of a row
  uint8_t* out;            ///< [bytes]
};

/** Bytes of a row that a pass across rows may read together. */
inline constexpr int64_t kReadableTogether = 64;

}  // namespace ghostnet::cpu
