#include "addon/image_argument.h"

#include <cstring>

#include "addon/arguments.h"
#include "base/error.h"

namespace ghostnet::addon {

namespace {

std::span<const uint8_t> to_bytes(const Napi::Value& value, const char* name) {
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT,
                std::string("The argument ") + name + " has the wrong type", {}, "a Uint8Array");
  }
  const auto bytes = value.As<Napi::Uint8Array>();
  return {bytes.Data(), bytes.ByteLength()};
}

// A name that is not valid UTF-8 comes as bytes.
std::string to_path(const Napi::Value& value) {
  std::string path;
  if (value.IsString()) {
    path = to_string(value, "path");
  } else {
    const auto bytes = to_bytes(value, "path");
    path.assign(bytes.begin(), bytes.end());
  }
  if (path.find('\0') != std::string::npos) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The path contains a null byte", path.c_str());
  }
  return path;
}

}  // namespace

ImageArgument to_image(const Napi::Value& value) {
  const Napi::Object image = to_object(value, "image");
  if (!image.Get("path").IsUndefined()) return {ImagePath{to_path(image.Get("path"))}, nullptr, {}, nullptr};
  ImageArgument argument;
  std::span<const uint8_t> bytes = to_bytes(image.Get("bytes"), "bytes");
  if (image.Get("isOwn").ToBoolean()) {
    argument.kept.push_back(image.Get("bytes").As<Napi::Object>());
    Napi::ArrayBuffer memory = image.Get("bytes").As<Napi::Uint8Array>().ArrayBuffer();
    // Small buffers of Node share their memory.
    if (memory.ByteLength() == bytes.size())
      argument.own = std::make_shared<Napi::ObjectReference>(Napi::Persistent(memory.As<Napi::Object>()));
  } else {
    argument.copy = std::make_shared<Buffer>(bytes.size());
    if (!bytes.empty()) std::memcpy(argument.copy->data(), bytes.data(), bytes.size());
    bytes = {reinterpret_cast<const uint8_t*>(argument.copy->data()), bytes.size()};
  }
  if (image.Get("width").IsUndefined()) {
    argument.source = ImageBytes{bytes};
  } else {
    argument.source =
        ImagePixels{bytes, to_int(image.Get("height"), "height"), to_int(image.Get("width"), "width")};
  }
  return argument;
}

PrepareOptions to_prepare_options(const Napi::Object& given) {
  PrepareOptions options;
  options.decode = to_one_of(given.Get("decode"), "decode", kDecodes);
  options.max_image_bytes = to_int(given.Get("maxImageBytes"), "maxImageBytes");
  options.max_pixels = to_int(given.Get("maxPixels"), "maxPixels");
  options.max_coefficient_bytes = to_int(given.Get("maxCoefficientBytes"), "maxCoefficientBytes");
  options.leave = to_string(given.Get("decoder"), "decoder") == "sharp";
  return options;
}

}  // namespace ghostnet::addon
