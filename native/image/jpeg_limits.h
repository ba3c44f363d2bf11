/**
 * What a JPEG file may ask of this machine, known from its header.
 */
#pragma once

#include <cstdint>

#include "image/jpeg.h"
#include "image/libjpeg.h"
#include "image/memory_budget.h"

namespace ghostnet {

/** @throws Error GHOSTNET_IMAGE_TOO_LARGE if the image has more than JpegOptions::max_pixels */
void check_pixels(const jpeg_decompress_struct& header, const JpegOptions& options);

/**
 * The bytes of coefficients that libjpeg keeps of an image. It keeps none of one that is stored in a single
 * scan, and all of any other: progressive, or with a scan for each component.
 */
int64_t coefficient_bytes(Decompressor& header);

/**
 * The right to hold that many bytes, of JpegOptions::max_coefficient_bytes for all decoders of this process.
 * @throws Error GHOSTNET_IMAGE_TOO_LARGE if they are more than all
 * @throws DecodingCancelled
 */
MemoryBudget::Share take_coefficients(int64_t bytes, const JpegOptions& options);

}  // namespace ghostnet
