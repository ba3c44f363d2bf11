#include "image/exif.h"

#include <algorithm>
#include <array>

namespace ghostnet {
namespace {

constexpr std::array<uint8_t, 6> kIdentifier = {'E', 'x', 'i', 'f', 0, 0};

/** The numbers of a TIFF file; those beyond its end are 0. */
struct Tiff {
  std::span<const uint8_t> bytes;
  bool big_endian;

  uint64_t number(uint64_t offset, uint64_t size) const {
    if (offset > bytes.size() || size > bytes.size() - offset) return 0;
    uint64_t value = 0;
    for (uint64_t index = 0; index < size; ++index) {
      value = value << 8 | bytes[offset + (big_endian ? index : size - 1 - index)];
    }
    return value;
  }
};

}  // namespace

bool is_exif(std::span<const uint8_t> segment) {
  return segment.size() >= kIdentifier.size() &&
         std::equal(kIdentifier.begin(), kIdentifier.end(), segment.begin());
}

// Source: TIFF 6.0, section 2: a header with the offset of a directory, and entries of 12 bytes.
int exif_orientation(std::span<const uint8_t> segment) {
  if (!is_exif(segment)) return 0;
  Tiff tiff{segment.subspan(kIdentifier.size()), true};
  const uint64_t order = tiff.number(0, 2);
  tiff.big_endian = order == 0x4d4d;
  if ((order != 0x4d4d && order != 0x4949) || tiff.number(2, 2) != 42) return 0;
  const uint64_t directory = tiff.number(4, 4);
  const uint64_t entries = tiff.number(directory, 2);
  for (uint64_t entry = 0; entry < entries; ++entry) {
    const uint64_t at = directory + 2 + 12 * entry;
    if (tiff.number(at, 2) != 0x0112) continue;
    const uint64_t type = tiff.number(at + 2, 2);
    const uint64_t count = tiff.number(at + 4, 4);
    // Exif says SHORT, but there are writers of BYTE and LONG. The value stands at the front of its 4 bytes.
    const uint64_t size = type == 1 ? 1 : type == 3 ? 2 : type == 4 ? 4 : 0;
    const uint64_t value = count == 1 ? tiff.number(at + 8, size) : 0;
    return value <= 8 ? static_cast<int>(value) : 0;
  }
  return 0;
}

}  // namespace ghostnet
