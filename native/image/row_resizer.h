/**
 * PIL's antialiased resize and the crop of a transform, row by row, as a decoder yields the rows.
 */
#pragma once

#include <cstdint>
#include <memory>

#include "image/orientation.h"
#include "image/transform.h"

namespace ghostnet {

/** An image as its file stores it. */
struct StoredImage {
  int64_t height, width;  ///< of the whole image in pixels, as stored
  /** Rows and pixels of a row that the decoder yields: fewer than the image has if it decodes at a reduced
   * scale. */
  int64_t rows, columns;
  /** The part of those that the image covers, in pixels: a fraction of the last row or column may be padding.
   */
  double covered_rows, covered_columns;
  Orientation orientation = {};

  /** An image that is decoded at its full size. */
  static StoredImage whole(int64_t height, int64_t width, Orientation orientation = {}) {
    return {height, width, height, width, double(height), double(width), orientation};
  }
};

/** A part of the decoded rows and columns, half-open. */
struct Window {
  int64_t top, bottom, left, right;
};

class RowResizer {
 public:
  /**
   * @param out uint8 [input_size,input_size,3], RGB, upright; every element is written once all rows are
   * pushed
   * @throws Error GHOSTNET_BAD_SHAPE as plan_crop, GHOSTNET_OUT_OF_MEMORY
   */
  RowResizer(const Transform& transform, const StoredImage& image, uint8_t* out);
  ~RowResizer();
  RowResizer(const RowResizer&) = delete;
  RowResizer& operator=(const RowResizer&) = delete;

  /** The part of the decoded image that the crop depends on. */
  const Window& window() const;
  /** Bytes behind the last pixel of a row that must be readable; their values do not matter. */
  static constexpr int64_t kReadableBehind = 64;
  /** The number of rows that are resized together; fewer at a time cost more. */
  static constexpr int64_t kRowsTogether = 8;

  /**
   * Takes the next rows of the window, from its top to its bottom.
   * @param rows each points to the pixel of column window().left, RGB
   */
  void push(const uint8_t* const* rows, int64_t count);

 private:
  struct Passes;
  std::unique_ptr<Passes> passes_;
};

/**
 * Resizes and crops decoded pixels.
 * @param pixels uint8 [height,width,3], RGB, upright; only these bytes are read
 */
void resize_pixels(const Transform& transform, const uint8_t* pixels, int64_t height, int64_t width,
                   uint8_t* out);

}  // namespace ghostnet
