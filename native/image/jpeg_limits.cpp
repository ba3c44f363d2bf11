#include "image/jpeg_limits.h"

#include <string>

#include "base/error.h"

namespace ghostnet {
namespace {

MemoryBudget& coefficient_budget() {
  static MemoryBudget& budget =
      *new MemoryBudget;  // never destroyed, for a thread may still decode at the exit
  return budget;
}

int64_t round_up(int64_t value, int64_t multiple) { return (value + multiple - 1) / multiple * multiple; }

}  // namespace

void check_pixels(const jpeg_decompress_struct& header, const JpegOptions& options) {
  const int64_t pixels = int64_t{header.image_width} * header.image_height;
  if (pixels <= options.max_pixels) return;
  throw Error(ErrorCode::GHOSTNET_IMAGE_TOO_LARGE, "The image has too many pixels",
              std::to_string(pixels) + " pixels, " + std::to_string(header.image_width) + " x " +
                  std::to_string(header.image_height),
              "at most " + std::to_string(options.max_pixels) + " pixels (maxPixels)");
}

int64_t coefficient_bytes(Decompressor& header) {
  bool has_scans = false;
  header.run([&](j_decompress_ptr libjpeg) { has_scans = jpeg_has_multiple_scans(libjpeg); });
  if (!has_scans) return 0;
  int64_t blocks = 0;
  for (int index = 0; index < header.state().num_components; ++index) {
    const jpeg_component_info& component = header.state().comp_info[index];
    blocks += round_up(component.width_in_blocks, component.h_samp_factor) *
              round_up(component.height_in_blocks, component.v_samp_factor);
  }
  return blocks * static_cast<int64_t>(sizeof(JBLOCK));
}

MemoryBudget::Share take_coefficients(int64_t bytes, const JpegOptions& options) {
  if (bytes > options.max_coefficient_bytes) {
    throw Error(ErrorCode::GHOSTNET_IMAGE_TOO_LARGE, "The image needs too much memory to decode",
                std::to_string(bytes) + " bytes of coefficients, because it is stored in several scans",
                "at most " + std::to_string(options.max_coefficient_bytes) + " bytes (maxCoefficientBytes)");
  }
  MemoryBudget::Share share =
      coefficient_budget().take(bytes, options.max_coefficient_bytes, options.cancelled);
  if (!share) throw DecodingCancelled();
  return share;
}

}  // namespace ghostnet
