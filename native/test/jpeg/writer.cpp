#include "jpeg/writer.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <random>
// These must follow.
#include <jpeglib.h>

namespace ghostnet::test {
namespace {

/** Components, then the spectral and bit ranges of a scan; see jpeg_scan_info. */
const std::vector<jpeg_scan_info> kPerComponent = {
    {1, {0}, 0, 63, 0, 0}, {1, {1}, 0, 63, 0, 0}, {1, {2}, 0, 63, 0, 0}};
const std::vector<jpeg_scan_info> kUnfinished = {{3, {0, 1, 2}, 0, 0, 0, 1}, {1, {0}, 1, 2, 0, 2}};
const std::vector<jpeg_scan_info> kUnfinishedGrey = {{1, {0}, 0, 0, 0, 1}};

/** A progression of so many scans: the bits of every second coefficient of Y come one by one. */
std::vector<jpeg_scan_info> progression(int count) {
  std::vector<jpeg_scan_info> scans = {{3, {0, 1, 2}, 0, 0, 0, 0}};
  for (int bit = 3; bit >= 0; --bit) {
    for (int at = 1; at < 63 && static_cast<int>(scans.size()) < count; at += 2) {
      scans.push_back({1, {0}, at, at + 1, bit == 3 ? 0 : bit + 1, bit});
    }
  }
  return scans;
}

}  // namespace

Picture draw(int height, int width, unsigned seed) {
  std::mt19937 engine(seed);
  std::uniform_int_distribution<int> noise(-24, 24);
  Picture picture{height, width, Bytes(static_cast<size_t>(height) * static_cast<size_t>(width) * 3)};
  uint8_t* at = picture.pixels.data();
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const bool edge = ((x / 11) ^ (y / 7)) & 1;
      for (int channel = 0; channel < 3; ++channel) {
        const double wave = std::sin((x * (channel + 1) + y * 2) * 0.07 + channel);
        const int value = static_cast<int>(128 + 70 * wave) + (edge ? 30 * (channel - 1) : 0) + noise(engine);
        *at++ = static_cast<uint8_t>(std::min(255, std::max(0, value)));
      }
    }
  }
  return picture;
}

Picture draw_blocks(int height, int width, unsigned seed) {
  std::mt19937 engine(seed);
  const int columns = (width + 7) / 8;
  Bytes colours(static_cast<size_t>(columns * ((height + 7) / 8)) * 3);
  for (uint8_t& value : colours) value = engine() & 1 ? 250 : 5;
  Picture picture{height, width, {}};
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto colour = colours.begin() + (y / 8 * columns + x / 8) * 3;
      picture.pixels.insert(picture.pixels.end(), colour, colour + 3);
    }
  }
  return picture;
}

Bytes exif_segment(int orientation, bool big_endian) {
  Bytes bytes = {'E', 'x', 'i', 'f', 0, 0};
  const auto number = [&](unsigned value, int size) {
    for (int index = 0; index < size; ++index) {
      const int shift = 8 * (big_endian ? size - 1 - index : index);
      bytes.push_back(static_cast<uint8_t>(value >> shift));
    }
  };
  number(big_endian ? 0x4d4d : 0x4949, 2);
  number(42, 2);
  number(8, 4);       // the offset of the directory
  number(2, 2);       // two entries
  number(0x010f, 2);  // the maker's name
  number(2, 2);
  number(4, 4);
  number(0, 4);
  number(0x0112, 2);  // the orientation
  number(3, 2);
  number(1, 4);
  number(static_cast<unsigned>(orientation), 2);
  number(0, 2);
  number(0, 4);  // no further directory
  return bytes;
}

Bytes write_jpeg(const Picture& picture, const Written& how) {
  jpeg_compress_struct state = {};
  jpeg_error_mgr errors = {};
  state.err = jpeg_std_error(&errors);  // which ends the process after an error
  jpeg_create_compress(&state);
  unsigned char* buffer = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&state, &buffer, &size);
  state.image_width = static_cast<JDIMENSION>(picture.width);
  state.image_height = static_cast<JDIMENSION>(picture.height);
  state.input_components = how.cmyk ? 4 : 3;
  state.in_color_space = how.cmyk ? JCS_CMYK : JCS_RGB;
  jpeg_set_defaults(&state);
  if (how.grey) jpeg_set_colorspace(&state, JCS_GRAYSCALE);
  if (how.rgb) {
    jpeg_set_colorspace(&state, JCS_RGB);
    state.write_Adobe_marker = TRUE;
  }
  jpeg_set_quality(&state, how.quality, TRUE);
  for (int index = 0; index < state.num_components && index < 3; ++index) {
    state.comp_info[index].h_samp_factor = how.horizontal[static_cast<size_t>(index)];
    state.comp_info[index].v_samp_factor = how.vertical[static_cast<size_t>(index)];
  }
  const auto script = [&](const std::vector<jpeg_scan_info>& scans) {
    state.scan_info = scans.data();
    state.num_scans = static_cast<int>(scans.size());
  };
  if (how.scans == Scans::per_component && !how.grey) script(kPerComponent);
  if (how.scans == Scans::progressive) jpeg_simple_progression(&state);
  const std::vector<jpeg_scan_info> many = progression(how.scans == Scans::hundred ? 100 : 101);
  if (how.scans == Scans::hundred || how.scans == Scans::hundred_and_one) script(many);
  if (how.scans == Scans::unfinished) script(how.grey ? kUnfinishedGrey : kUnfinished);
  if (how.lossless) jpeg_enable_lossless(&state, 1, 0);
  state.restart_interval = how.restart_interval;
  jpeg_start_compress(&state, TRUE);
  if (how.orientation != 0) {
    const Bytes segment = exif_segment(how.orientation, how.big_endian);
    jpeg_write_marker(&state, JPEG_APP0 + 1, segment.data(), static_cast<unsigned>(segment.size()));
  }
  Bytes cmyk(static_cast<size_t>(picture.width) * 4, 100);
  while (state.next_scanline < state.image_height) {
    const size_t offset = static_cast<size_t>(state.next_scanline) * static_cast<size_t>(picture.width) * 3;
    JSAMPROW row = how.cmyk ? cmyk.data() : const_cast<JSAMPROW>(&picture.pixels[offset]);
    jpeg_write_scanlines(&state, &row, 1);
  }
  jpeg_finish_compress(&state);
  jpeg_destroy_compress(&state);
  Bytes file(buffer, buffer + size);
  std::free(buffer);
  return file;
}

}  // namespace ghostnet::test
