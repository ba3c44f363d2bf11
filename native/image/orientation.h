/**
 * How a stored image becomes upright: it is mirrored along its axes, then transposed.
 */
#pragma once

namespace ghostnet {

/** The upright pixel (x, y) is the stored pixel (x, y), or (y, x) if transposed, counted from the far side
 * along each mirrored axis of the stored image. */
struct Orientation {
  bool mirror_x = false;   ///< left becomes right in the stored image
  bool mirror_y = false;   ///< top becomes bottom in the stored image
  bool transpose = false;  ///< then rows become columns

  bool operator==(const Orientation&) const = default;
};

/**
 * @param tag the value of the Exif tag 0x0112; values other than 1 to 8 mean upright, as in PIL
 * Source: Exif 2.32, section 4.6.4; PIL's ImageOps.exif_transpose.
 */
constexpr Orientation orientation_of(int tag) {
  switch (tag) {
    case 2:
      return {.mirror_x = true};
    case 3:
      return {.mirror_x = true, .mirror_y = true};
    case 4:
      return {.mirror_y = true};
    case 5:
      return {.transpose = true};
    case 6:
      return {.mirror_y = true, .transpose = true};
    case 7:
      return {.mirror_x = true, .mirror_y = true, .transpose = true};
    case 8:
      return {.mirror_x = true, .transpose = true};
    default:
      return {};
  }
}

}  // namespace ghostnet
