/**
 * Calls prepare_jpeg as the tests need it.
 */
#pragma once

#include <algorithm>
#include <memory>

#include "image/jpeg.h"
#include "jpeg/writer.h"

namespace ghostnet::test {

/** A crop of a small image with these leaves something out on all sides. */
inline constexpr Transform kSmall = {.input_size = 32, .crop = 0.8};

struct Prepared {
  JpegResult result;
  Bytes pixels;
};

/** @throws what prepare_jpeg throws */
inline Prepared prepare(std::span<const uint8_t> file, const Transform& transform = kSmall,
                        const JpegOptions& options = {}) {
  // A copy of exactly its size, so that a sanitizer finds a read beyond it.
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[file.size()]);
  std::copy(file.begin(), file.end(), copy.get());
  Prepared prepared{{}, Bytes(static_cast<size_t>(transform.input_size * transform.input_size * 3), 7)};
  prepared.result = prepare_jpeg({copy.get(), file.size()}, transform, options, prepared.pixels.data());
  return prepared;
}

}  // namespace ghostnet::test
