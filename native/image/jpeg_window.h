/**
 * Decodes a window of a JPEG image: the rows and columns that a crop needs, to the values they have in the
 * whole.
 */
#pragma once

#include <cstdint>
#include <vector>

#include "image/libjpeg.h"
#include "image/row_resizer.h"

namespace ghostnet {

class JpegWindow {
 public:
  /** @param decompressor after jpeg_start_decompress, before its first row; must outlive this object */
  JpegWindow(Decompressor& decompressor, const Window& window);

  /**
   * Decodes the next rows of the window.
   * @param count at most RowResizer::kRowsTogether
   * @return pointers to the pixels of column window.left, RGB, until the next call
   */
  const uint8_t* const* read(int64_t count);

 private:
  Decompressor& decompressor_;
  int64_t stride_;
  int64_t before_;  ///< bytes of a row before the window
  std::vector<uint8_t> rows_;
  const uint8_t* pointers_[RowResizer::kRowsTogether];
};

}  // namespace ghostnet
