/**
 * The orientation that a camera wrote into a JPEG file.
 */
#pragma once

#include <cstdint>
#include <span>

namespace ghostnet {

/**
 * The value of the tag Orientation (0x0112) in the first directory of an Exif segment.
 *
 * XMP metadata is not read, which PIL's exif_transpose does where Exif has no orientation: sharp does not.
 *
 * @param segment the content of an APP1 marker segment: any bytes, of which none outside are read
 * @return 0 if the segment has no such tag, or is not an Exif segment
 */
int exif_orientation(std::span<const uint8_t> segment);

/** Whether the content of an APP1 marker segment begins as Exif does. */
bool is_exif(std::span<const uint8_t> segment);

}  // namespace ghostnet
