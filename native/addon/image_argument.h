/**
 * An image as JavaScript passes it.
 */
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "base/array.h"
#include "image/prepare.h"

namespace ghostnet::addon {

struct ImageArgument {
  ImageSource source;
  std::shared_ptr<Buffer> copy;    ///< the memory of the source, if it was copied
  std::vector<Napi::Object> kept;  ///< whose memory the source reads, if it was not
  /** Memory that nobody else uses, to free after its use: an image is too large to wait for a collection.
   */
  std::shared_ptr<Napi::ObjectReference> own;
};

/**
 * { path: string | Uint8Array }, { bytes: Uint8Array }, or { bytes: Uint8Array, width, height } for RGB
 * pixels. `bytes` are copied unless `isOwn` says that no other code can change, transfer or resize their
 * memory, nor uses it afterwards.
 * @throws Error GHOSTNET_INVALID_ARGUMENT, GHOSTNET_OUT_OF_MEMORY
 */
ImageArgument to_image(const Napi::Value& value);

/** decode, decoder, maxImageBytes, maxPixels, maxCoefficientBytes. @throws Error GHOSTNET_INVALID_ARGUMENT */
PrepareOptions to_prepare_options(const Napi::Object& options);

}  // namespace ghostnet::addon
