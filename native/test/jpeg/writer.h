/**
 * JPEG files for tests, written by libjpeg.
 */
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace ghostnet::test {

using Bytes = std::vector<uint8_t>;

/** RGB, uint8 [height,width,3]. */
struct Picture {
  int height, width;
  Bytes pixels;
};

/** Gradients, edges and noise, so that every coefficient and every neighbour matters. */
Picture draw(int height, int width, unsigned seed);

/** Blocks of random colours: neighbours differ as much as they can. */
Picture draw_blocks(int height, int width, unsigned seed);

enum class Scans {
  one,
  per_component,  ///< sequential, a scan for each component
  progressive,    ///< as libjpeg's simple progression
  unfinished,     ///< progressive, only the first scans: the decoder smooths what is missing
  hundred,        ///< progressive, with 100 scans
  hundred_and_one,
};

struct Written {
  bool grey = false;
  bool rgb = false;  ///< stored as RGB, marked by Adobe's segment
  bool cmyk = false;
  bool lossless = false;
  std::array<int, 3> horizontal = {2, 1, 1};  ///< sampling factors of the components
  std::array<int, 3> vertical = {2, 1, 1};
  Scans scans = Scans::one;
  unsigned restart_interval = 0;  ///< in MCUs
  int quality = 85;
  int orientation = 0;  ///< the tag of an Exif segment; 0 for no segment
  bool big_endian = false;
};

Bytes write_jpeg(const Picture& picture, const Written& how);

/** An Exif segment's content with this orientation. */
Bytes exif_segment(int orientation, bool big_endian);

}  // namespace ghostnet::test
