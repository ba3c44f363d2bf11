/**
 * What a JPEG file decodes to, by libjpeg without any shortcut.
 */
#pragma once

#include <optional>
#include <span>

#include "image/orientation.h"
#include "image/transform.h"
#include "jpeg/writer.h"

namespace ghostnet::test {

struct Decoded {
  Picture picture;    ///< as stored, at the scale
  int height, width;  ///< of the full size
  int tag;            ///< the orientation, 0 without one
};

/** Decodes every row and column, at a scale in eighths. @return nothing after an error or a warning of
 * libjpeg */
std::optional<Decoded> decode_whole(std::span<const uint8_t> file, int scale = 8);

/** The picture that is seen when a stored one is turned upright: pixel by pixel, by the definition of the
 * tag. */
Picture upright(const Picture& stored, int tag);

/** The input of a network, [input_size,input_size,3]: decoded whole, turned upright, then resized. */
Bytes prepare_whole(const Decoded& decoded, const Transform& transform, int tag);

/** The same by pushing the rows of the whole picture into a RowResizer, at any scale. */
Bytes push_whole(const Decoded& decoded, const Transform& transform, int tag, int scale);

}  // namespace ghostnet::test
