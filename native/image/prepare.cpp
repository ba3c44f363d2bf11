#include "image/prepare.h"

#include <chrono>

#include "base/error.h"
#include "base/file.h"
#include "image/row_resizer.h"

namespace ghostnet {

namespace {

Array empty_input(const Transform& transform) {
  const std::vector<int64_t> shape = {transform.input_size, transform.input_size, 3};
  return {DType::uint8, shape, std::make_shared<Buffer>(byte_count(DType::uint8, shape))};
}

uint8_t* bytes_of(const Array& array) { return reinterpret_cast<uint8_t*>(array.memory->data()); }

PreparedImage prepare_bytes(std::span<const uint8_t> bytes, const Transform& transform,
                            const PrepareOptions& options) {
  if (options.leave || !is_jpeg(bytes)) return {};
  const Array input = empty_input(transform);
  const JpegResult result = prepare_jpeg(bytes, transform, options, bytes_of(input));
  switch (result.outcome) {
    case JpegOutcome::decoded:
      return {.input = input, .scale = result.scale};
    case JpegOutcome::unsupported:
      return {};
    case JpegOutcome::cancelled:
      break;
  }
  throw Error(ErrorCode::GHOSTNET_ABORTED, "The image was abandoned while it was decoded");
}

PreparedImage prepare_pixels(const ImagePixels& image, const Transform& transform, int64_t max_pixels) {
  const auto& [pixels, height, width] = image;
  const std::string sides = std::to_string(width) + " x " + std::to_string(height);
  if (height < 1 || width < 1 || byte_count(DType::uint8, {height, width, 3}) != pixels.size()) {
    throw Error(ErrorCode::GHOSTNET_BAD_SHAPE,
                "The data of the raw image does not match its width and height",
                std::to_string(pixels.size()) + " bytes for " + sides, "width * height * 3 bytes");
  }
  if (height * width > max_pixels) {
    throw Error(ErrorCode::GHOSTNET_IMAGE_TOO_LARGE, "The image has too many pixels",
                sides + " = " + std::to_string(height * width) + " pixels",
                "at most " + std::to_string(max_pixels) + ", the option maxPixels");
  }
  const Array input = empty_input(transform);
  resize_pixels(transform, pixels.data(), height, width, bytes_of(input));
  return {.input = input};
}

bool is_any(std::span<const uint8_t>) { return true; }

PreparedImage prepare_source(const ImageSource& source, const Transform& transform,
                             const PrepareOptions& options) {
  if (const auto* pixels = std::get_if<ImagePixels>(&source)) {
    return prepare_pixels(*pixels, transform, options.max_pixels);
  }
  if (const auto* image = std::get_if<ImageBytes>(&source)) {
    return prepare_bytes(image->bytes, transform, options);
  }
  const std::string& path = std::get<ImagePath>(source).path;
  // Another decoder may have to wait for its turn, and the content should not wait with it.
  std::shared_ptr<Buffer> file =
      read_file(path, {options.max_image_bytes, "maxImageBytes"}, options.leave ? is_any : is_jpeg);
  if (file == nullptr) return {};
  if (options.leave) return {.file = std::move(file)};
  return prepare_bytes({reinterpret_cast<const uint8_t*>(file->data()), file->size()}, transform, options);
}

}  // namespace

PreparedImage prepare(const ImageSource& source, const Transform& transform, const PrepareOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  PreparedImage prepared = prepare_source(source, transform, options);
  const std::chrono::duration<double, std::milli> took = std::chrono::steady_clock::now() - start;
  prepared.milliseconds = took.count();
  return prepared;
}

}  // namespace ghostnet
