#include "jpeg/reference.h"

#include <csetjmp>
#include <cstdio>
// These must follow.
#include <jpeglib.h>

#include "image/exif.h"
#include "image/row_resizer.h"

namespace ghostnet::test {
namespace {

struct Errors : jpeg_error_mgr {
  std::jmp_buf back;
};

[[noreturn]] void leave(j_common_ptr state) { std::longjmp(static_cast<Errors*>(state->err)->back, 1); }

}  // namespace

std::optional<Decoded> decode_whole(std::span<const uint8_t> file, int scale) {
  static thread_local Decoded decoded;  // survives the jump
  jpeg_decompress_struct state = {};
  Errors errors = {};
  state.err = jpeg_std_error(&errors);
  errors.error_exit = leave;
  errors.emit_message = [](j_common_ptr common, int level) {
    if (level < 0) leave(common);
  };
  if (setjmp(errors.back) != 0) {
    jpeg_destroy_decompress(&state);
    return std::nullopt;
  }
  jpeg_create_decompress(&state);
  jpeg_mem_src(&state, file.data(), static_cast<unsigned long>(file.size()));
  jpeg_save_markers(&state, JPEG_APP0 + 1, 0xffff);
  jpeg_read_header(&state, TRUE);
  decoded.tag = 0;
  for (const jpeg_marker_struct* marker = state.marker_list; marker != nullptr; marker = marker->next) {
    const std::span<const uint8_t> segment(marker->data, marker->data_length);
    decoded.tag = exif_orientation(segment);
    if (is_exif(segment)) break;
  }
  state.out_color_space = JCS_RGB;
  state.scale_num = static_cast<unsigned>(scale);
  state.scale_denom = 8;
  jpeg_start_decompress(&state);
  Picture& picture = decoded.picture;
  picture = {static_cast<int>(state.output_height), static_cast<int>(state.output_width), {}};
  decoded.height = static_cast<int>(state.image_height);
  decoded.width = static_cast<int>(state.image_width);
  picture.pixels.resize(size_t{state.output_height} * state.output_width * 3);
  while (state.output_scanline < state.output_height) {
    JSAMPROW row = &picture.pixels[size_t{state.output_scanline} * state.output_width * 3];
    jpeg_read_scanlines(&state, &row, 1);
  }
  jpeg_finish_decompress(&state);
  jpeg_destroy_decompress(&state);
  return decoded;
}

// Source: Exif 2.32, section 4.6.4: where the row 0 and the column 0 of the stored image are seen.
Picture upright(const Picture& stored, int tag) {
  const bool turned = tag >= 5 && tag <= 8;
  Picture seen{turned ? stored.width : stored.height, turned ? stored.height : stored.width,
               Bytes(stored.pixels.size())};
  for (int row = 0; row < stored.height; ++row) {
    for (int column = 0; column < stored.width; ++column) {
      const int from_right = stored.width - 1 - column;
      const int from_bottom = stored.height - 1 - row;
      int y = row;
      int x = column;
      if (tag == 2) x = from_right;                   // row 0 at the top, column 0 at the right
      if (tag == 3) y = from_bottom, x = from_right;  // bottom, right
      if (tag == 4) y = from_bottom;                  // bottom, left
      if (tag == 5) y = column, x = row;              // left, top
      if (tag == 6) y = column, x = from_bottom;      // right, top
      if (tag == 7) y = from_right, x = from_bottom;  // right, bottom
      if (tag == 8) y = from_right, x = row;          // left, bottom
      for (int channel = 0; channel < 3; ++channel) {
        const auto at = [&](int height, int width, int stride) {
          return (static_cast<size_t>(height) * static_cast<size_t>(stride) + static_cast<size_t>(width)) *
                     3 +
                 static_cast<size_t>(channel);
        };
        seen.pixels[at(y, x, seen.width)] = stored.pixels[at(row, column, stored.width)];
      }
    }
  }
  return seen;
}

Bytes prepare_whole(const Decoded& decoded, const Transform& transform, int tag) {
  Bytes out(static_cast<size_t>(transform.input_size * transform.input_size * 3));
  const Picture seen = upright(decoded.picture, tag);
  resize_pixels(transform, seen.pixels.data(), seen.height, seen.width, out.data());
  return out;
}

Bytes push_whole(const Decoded& decoded, const Transform& transform, int tag, int scale) {
  Bytes out(static_cast<size_t>(transform.input_size * transform.input_size * 3));
  const auto& [height, width, pixels] = decoded.picture;
  const StoredImage image = {.height = decoded.height,
                             .width = decoded.width,
                             .rows = height,
                             .columns = width,
                             .covered_rows = decoded.height * scale / 8.0,
                             .covered_columns = decoded.width * scale / 8.0,
                             .orientation = orientation_of(tag)};
  RowResizer resizer(transform, image, out.data());
  const Window& window = resizer.window();
  Bytes readable = pixels;
  readable.resize(pixels.size() + RowResizer::kReadableBehind);
  for (int64_t row = window.top; row < window.bottom; ++row) {
    const uint8_t* const at = &readable[static_cast<size_t>((row * width + window.left) * 3)];
    resizer.push(&at, 1);
  }
  return out;
}

}  // namespace ghostnet::test
