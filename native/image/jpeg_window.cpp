#include "image/jpeg_window.h"

#include <algorithm>

namespace ghostnet {
namespace {

/**
 * Columns that are decoded on either side of a window, so that its own get the values they have in the whole.
 * The unit is a block of every component. Upsampling looks at the next sample. The smoothing of a progressive
 * image whose scans leave coefficients out looks at two more blocks.
 */
int64_t margin_of(const jpeg_decompress_struct& state) {
  return int64_t{state.max_h_samp_factor} * state.min_DCT_scaled_size * (state.progressive_mode ? 3 : 1);
}

}  // namespace

JpegWindow::JpegWindow(Decompressor& decompressor, const Window& window) : decompressor_(decompressor) {
  const jpeg_decompress_struct& state = decompressor.state();
  const int64_t margin = margin_of(state);
  const int64_t left = std::max<int64_t>(0, window.left - margin);
  const int64_t right = std::min<int64_t>(state.output_width, window.right + margin);
  JDIMENSION offset = static_cast<JDIMENSION>(left);
  JDIMENSION width = static_cast<JDIMENSION>(right - left);
  decompressor.run([&](j_decompress_ptr libjpeg) {
    jpeg_crop_scanline(libjpeg, &offset, &width);  // to a whole number of blocks on the left
    // Decodes on for the rows above that upsampling looks at.
    jpeg_skip_scanlines(libjpeg, static_cast<JDIMENSION>(window.top));
  });
  before_ = (window.left - int64_t{offset}) * 3;
  stride_ = int64_t{width} * 3 + RowResizer::kReadableBehind;
  rows_.resize(static_cast<size_t>(stride_ * RowResizer::kRowsTogether));
}

const uint8_t* const* JpegWindow::read(int64_t count) {
  JSAMPROW rows[RowResizer::kRowsTogether];
  for (int64_t row = 0; row < count; ++row) {
    rows[row] = &rows_[static_cast<size_t>(row * stride_)];
    pointers_[row] = rows[row] + before_;
  }
  decompressor_.run([&](j_decompress_ptr libjpeg) {
    for (int64_t row = 0; row < count;) {
      row += jpeg_read_scanlines(libjpeg, rows + row, static_cast<JDIMENSION>(count - row));
    }
  });
  return pointers_;
}

}  // namespace ghostnet
