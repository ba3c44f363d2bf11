/**
 * Whether a JPEG file is complete behind the last row that was decoded.
 */
#pragma once

#include <atomic>
#include <cstdint>
#include <span>

namespace ghostnet {

/**
 * Looks for the marker EOI as a decoder would meet it: behind entropy-coded data and whole marker segments.
 *
 * It finds out that the end of the file was cut off, and that a segment reaches beyond it. It does not find
 * out that entropy-coded bytes were altered: that takes decoding them, which costs a hundred times as much.
 *
 * @param rest the bytes from anywhere in the entropy-coded data, but not between a 0xFF and the byte behind
 * it
 * @param cancelled as in JpegOptions
 * @throws DecodingCancelled
 */
bool has_end_of_image(std::span<const uint8_t> rest, const std::atomic<bool>* cancelled);

}  // namespace ghostnet
