/**
 * From an image, wherever it is, to the bytes of a network's input.
 */
#pragma once

#include <memory>
#include <span>
#include <string>
#include <variant>

#include "base/array.h"
#include "image/jpeg.h"
#include "image/transform.h"

namespace ghostnet {

/** The path of an image file, in the encoding of the file system. */
struct ImagePath {
  std::string path;
};

/** The content of an image file. The bytes outlive the call. */
struct ImageBytes {
  std::span<const uint8_t> bytes;
};

/** Decoded pixels, [height,width,3], RGB. They outlive the call. */
struct ImagePixels {
  std::span<const uint8_t> pixels;
  int64_t height, width;
};

using ImageSource = std::variant<ImagePath, ImageBytes, ImagePixels>;

struct PrepareOptions : JpegOptions {
  int64_t max_image_bytes = 256'000'000;  ///< the most bytes of a file
  bool leave = false;  ///< read files of any format, and leave all that is encoded to another decoder
};

struct PreparedImage {
  Array input =
      {};  ///< uint8 [input_size,input_size,3], RGB; without memory if the image is left to another decoder
  int scale = 8;                      ///< of the decoder, in eighths
  double milliseconds = 0;            ///< that the call took
  std::shared_ptr<Buffer> file = {};  ///< of an ImagePath, if all is left to another decoder
};

/**
 * Reads, decodes, resizes and crops an image.
 * @throws Error GHOSTNET_FILE_NOT_FOUND, GHOSTNET_FILE_UNREADABLE, GHOSTNET_FILE_TOO_LARGE,
 * GHOSTNET_ABORTED if it was cancelled, GHOSTNET_BAD_SHAPE if the pixels do not match their sides or the
 * image is too elongated, and as prepare_jpeg
 */
PreparedImage prepare(const ImageSource& source, const Transform& transform, const PrepareOptions& options);

}  // namespace ghostnet
