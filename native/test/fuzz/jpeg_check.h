/**
 * What must hold for every input of prepare_jpeg.
 */
#pragma once

#include <span>
#include <string>

#include "image/jpeg.h"

namespace ghostnet::test {

struct Trial {
  Transform transform;
  JpegOptions options;
};

struct Verdict {
  std::string outcome;       ///< the outcome or the code of the error
  std::string fault;         ///< empty if all held
  double seconds = 0;        ///< of the processor
  double share_of_time = 0;  ///< of the time that was allowed
  int64_t bytes = 0;         ///< the most that were allocated at a time
};

/**
 * Decodes a file and checks that
 * - only the errors that are documented are thrown,
 * - the time is bounded by the pixels that the file claims to have and by its length,
 * - the memory is bounded by the options,
 * - the pixels are those of the whole image, where libjpeg decodes that without an error or a warning,
 * - such a file is not refused.
 * A sanitizer watches the rest.
 */
Verdict check_jpeg(std::span<const uint8_t> file, const Trial& trial);

}  // namespace ghostnet::test
