#include "image/jpeg.h"

#include <algorithm>
#include <new>

#include "base/error.h"
#include "image/jpeg_end.h"
#include "image/jpeg_limits.h"
#include "image/jpeg_window.h"
#include "image/libjpeg.h"
#include "image/row_resizer.h"

namespace ghostnet {
namespace {

constexpr int kFullScale = 8;

/** Bytes that libjpeg may take besides coefficients: some rows of blocks, as wide as an image can be, and
 * tables. */
constexpr int64_t kMostStripBytes = 1 << 24;

/** Whether the image is RGB, YCbCr or grey, of 8 bits, and coded as DCT by Huffman's codes. */
bool is_supported(const jpeg_decompress_struct& header) {
  // In a lossless file, Ss is the number of a predictor.
  const bool is_lossless = !header.progressive_mode && header.Ss != 0 && header.Se == 0;
  return (header.num_components == 1 || header.num_components == 3) && header.data_precision == 8 &&
         !header.arith_code && !is_lossless;
}

CropPlan plan_upright(const Transform& transform, const StoredImage& image) {
  return image.orientation.transpose ? plan_crop(transform, image.width, image.height)
                                     : plan_crop(transform, image.height, image.width);
}

/** The scale to decode at, in eighths. */
int scale_of(const Transform& transform, const StoredImage& image, Decode decode) {
  const CropPlan plan = plan_upright(transform, image);
  if (decode == Decode::exact) return kFullScale;
  const int64_t shorter = std::min(image.height, image.width);
  const int64_t target = std::min(plan.resized_height, plan.resized_width);
  for (const int scale : {1, 2, 4}) {
    if (shorter * scale >= 4 * target * kFullScale) return scale;
  }
  return kFullScale;
}

void start(Decompressor& decompressor, int scale, int64_t coefficients) {
  decompressor.run([&](j_decompress_ptr libjpeg) {
    // As PIL decodes.
    libjpeg->out_color_space = JCS_RGB;
    libjpeg->dct_method = JDCT_ISLOW;
    libjpeg->do_fancy_upsampling = TRUE;
    libjpeg->scale_num = static_cast<unsigned>(scale);
    libjpeg->scale_denom = kFullScale;
    libjpeg->mem->max_memory_to_use = static_cast<long>(coefficients + kMostStripBytes);
    jpeg_start_decompress(libjpeg);
  });
}

/** @throws Error GHOSTNET_IMAGE_UNDECODABLE if the file ends before the image does */
void check_end(Decompressor& decompressor, const std::atomic<bool>* cancelled) {
  bool was_read = false;  // if there are several scans, they were all read before the first row
  decompressor.run([&](j_decompress_ptr libjpeg) { was_read = jpeg_input_complete(libjpeg); });
  if (was_read || has_end_of_image(decompressor.unused(), cancelled)) return;
  throw Error(ErrorCode::GHOSTNET_IMAGE_UNDECODABLE, "The JPEG is damaged or incomplete",
              "Premature end of JPEG file");
}

JpegResult decode(std::span<const uint8_t> file, const Transform& transform, const JpegOptions& options,
                  uint8_t* out) {
  MemoryBudget::Share share;  // given back after libjpeg's memory
  Decompressor decompressor(file, options.cancelled);
  decompressor.run([](j_decompress_ptr libjpeg) { jpeg_read_header(libjpeg, TRUE); });
  const jpeg_decompress_struct& state = decompressor.state();
  check_pixels(state, options);
  if (!is_supported(state)) return {JpegOutcome::unsupported};

  StoredImage image =
      StoredImage::whole(state.image_height, state.image_width, orientation_of(decompressor.orientation()));
  const int scale = scale_of(transform, image, options.decode);
  const int64_t coefficients = coefficient_bytes(decompressor);
  if (coefficients > 0) share = take_coefficients(coefficients, options);
  start(decompressor, scale, coefficients);

  image.rows = state.output_height;
  image.columns = state.output_width;
  image.covered_rows = static_cast<double>(image.height * scale) / kFullScale;
  image.covered_columns = static_cast<double>(image.width * scale) / kFullScale;
  RowResizer resizer(transform, image, out);
  const Window& window = resizer.window();
  JpegWindow rows(decompressor, window);
  for (int64_t row = window.top; row < window.bottom; row += RowResizer::kRowsTogether) {
    const int64_t count = std::min(RowResizer::kRowsTogether, window.bottom - row);
    resizer.push(rows.read(count), count);
  }
  check_end(decompressor, options.cancelled);
  return {JpegOutcome::decoded, scale};
}

}  // namespace

bool is_jpeg(std::span<const uint8_t> file) {
  return file.size() >= 3 && file[0] == 0xff && file[1] == 0xd8 && file[2] == 0xff;
}

JpegResult prepare_jpeg(std::span<const uint8_t> file, const Transform& transform, const JpegOptions& options,
                        uint8_t* out) {
  try {
    return decode(file, transform, options, out);
  } catch (const DecodingCancelled&) {
    return {JpegOutcome::cancelled};
  } catch (const DecodingUnsupported&) {
    return {JpegOutcome::unsupported};
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::GHOSTNET_OUT_OF_MEMORY, "Not enough memory to decode an image");
  }
}

}  // namespace ghostnet
