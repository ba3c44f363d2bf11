/**
 * From the bytes of a JPEG file to the bytes of a network's input, without the whole image in memory.
 */
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

#include "image/transform.h"

namespace ghostnet {

/** Whether a decoder may decode at a reduced scale. */
enum class Decode {
  exact,  ///< never: the pixels are those of PIL
  fast,   ///< at 1/2, 1/4 or 1/8, while the shorter side stays at least 4 times that of the resized image
};
inline constexpr Decode kDecodes[] = {Decode::exact, Decode::fast};
constexpr const char* name_of(Decode decode) { return decode == Decode::exact ? "exact" : "fast"; }

struct JpegOptions {
  Decode decode = Decode::exact;
  /** The most pixels of an image, read off its header before anything is allocated. */
  int64_t max_pixels = 50'000'000;
  /** The most bytes that the coefficients of all progressive images that are being decoded may take together.
   */
  int64_t max_coefficient_bytes = 256'000'000;
  /** Set by another thread to stop the decoder, which looks at it after each group of rows; may be null. */
  const std::atomic<bool>* cancelled = nullptr;
};

/** Whether the bytes begin as those of a JPEG file do. */
bool is_jpeg(std::span<const uint8_t> file);

enum class JpegOutcome {
  decoded,
  unsupported,  ///< a JPEG that this decoder leaves to another: CMYK, 12 bits, lossless
  cancelled,    ///< `out` holds no image
};

struct JpegResult {
  JpegOutcome outcome;
  int scale = 8;  ///< in eighths: 8 is the full size
};

/**
 * Decodes, turns upright, resizes and crops.
 * @param out uint8 [input_size,input_size,3], RGB
 * @throws Error GHOSTNET_IMAGE_UNDECODABLE if the file is damaged or incomplete, GHOSTNET_IMAGE_TOO_LARGE if
 * it has more pixels, scans or coefficients than allowed, GHOSTNET_BAD_SHAPE as plan_crop,
 * GHOSTNET_OUT_OF_MEMORY
 */
JpegResult prepare_jpeg(std::span<const uint8_t> file, const Transform& transform, const JpegOptions& options,
                        uint8_t* out);

}  // namespace ghostnet
