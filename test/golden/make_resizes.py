"""Makes ../../native/test/engine/pil_cases.h: checksums of images that PIL turned upright, resized and cropped.

    python make_resizes.py

Needs numpy and pillow. The images are computed by a formula, which native/test/engine/pil_resize.h has, too.
"""

import math
import pathlib

import numpy
from PIL import Image, ImageOps

FILE = pathlib.Path(__file__).parents[2] / "native/test/engine/pil_cases.h"

# Sides of the whole image, and the scale in eighths at which it is decoded.
IMAGES = [
    (375, 500, 8),
    (500, 333, 8),
    (61, 97, 8),  # smaller than the target
    (17, 9, 8),
    (1, 1, 8),
    (1, 40, 8),
    (35, 2, 8),
    (256, 256, 8),  # needs no pass for a target of 256
    (512, 703, 4),  # needs one, along rows
    (703, 512, 4),  # needs one, across rows
    (513, 700, 4),  # the last row is half padding
    (701, 1003, 2),
    (1027, 643, 1),
    (410, 150, 8),  # so tall that the vertical pass comes first
    (201, 100, 8),  # for a target of 64, just not so tall
    (202, 100, 8),
    (140, 900, 8),
]
# Input size, crop, interpolation.
TRANSFORMS = [(224, 0.875, "bicubic"), (48, 0.6, "bilinear"), (64, 1.0, "bicubic"), (33, 0.9, "bilinear")]
# What would be slow in every combination: extreme ratios, large images.
MORE = [
    ((1, 700, 8), 1, (224, 0.875, "bicubic")),
    ((900, 1, 8), 6, (224, 0.875, "bilinear")),
    ((3000, 4000, 8), 6, (224, 0.875, "bicubic")),
    ((4000, 3000, 8), 3, (32, 1.0, "bicubic")),
    ((2999, 4001, 4), 5, (224, 0.875, "bicubic")),
]


HEADER = """\
// Made by test/golden/make_resizes.py
#pragma once

#include "test/engine/pil_resize.h"

namespace ghostnet {

// clang-format off
inline constexpr PilCase kPilCases[] = {
"""
FOOTER = """\
};
// clang-format on

}  // namespace ghostnet
"""


def make_image(rows, columns, seed):
    """Noise; black and white only, which saturates, for an odd seed."""
    x = numpy.arange(rows * columns * 3, dtype=numpy.uint32) * numpy.uint32(2654435761) + numpy.uint32(seed)
    x ^= x >> 15
    x *= numpy.uint32(2246822507)
    x = (x >> 13 & 255).astype(numpy.uint8)
    if seed % 2:
        x = numpy.where(x > 127, 255, 0).astype(numpy.uint8)
    return Image.fromarray(x.reshape(rows, columns, 3))


def upright(stored, tag):
    stored.getexif()[0x0112] = tag
    return ImageOps.exif_transpose(stored)


def covered_box(rows, columns, covered_rows, covered_columns, tag):
    """Where the covered part of a stored image is once it is upright."""
    mirror_x = tag in (2, 3, 7, 8)
    mirror_y = tag in (3, 4, 6, 7)
    left = columns - covered_columns if mirror_x else 0
    top = rows - covered_rows if mirror_y else 0
    box = [left, top, left + covered_columns, top + covered_rows]
    return (box[1], box[0], box[3], box[2]) if tag >= 5 else tuple(box)


def checksum(data):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001B3 % 2**64
    return value


def case(sides, tag, transform, seed):
    height, width, scale = sides
    size, crop, interpolation = transform
    rows, columns = (math.ceil(side * scale / 8) for side in (height, width))
    covered_rows, covered_columns = height * scale / 8, width * scale / 8
    image = upright(make_image(rows, columns, seed), tag)
    box = covered_box(rows, columns, covered_rows, covered_columns, tag)

    # The evaluation transform of timm, by the size of the whole upright image.
    width_upright, height_upright = (height, width) if tag >= 5 else (width, height)
    shorter = math.floor(size / crop)
    if width_upright <= height_upright:
        resized = (shorter, int(shorter * height_upright / width_upright))
    else:
        resized = (int(shorter * width_upright / height_upright), shorter)
    left, top = (int(round((length - size) / 2)) for length in resized)
    resample = getattr(Image.Resampling, interpolation.upper())
    result = image.resize(resized, resample, box).crop((left, top, left + size, top + size))
    return (
        f"    {{{height}, {width}, {rows}, {columns}, {covered_rows!r}, {covered_columns!r}, {tag}, {size}, {crop!r}, "
        f"Interpolation::{interpolation}, {seed}, {checksum(result.tobytes()):#018x}}},\n"
    )


def cases():
    seed = 0
    for sides in IMAGES:
        for transform in TRANSFORMS:
            # All orientations of each image; not of each image with each transform.
            for tag in (1 + (seed + 3) % 8, 1 + seed % 8):
                yield sides, tag, transform, seed
                seed += 1
    for sides, tag, transform in MORE:
        yield sides, tag, transform, seed
        seed += 1


if __name__ == "__main__":
    FILE.write_text(HEADER + "".join(case(*arguments) for arguments in cases()) + FOOTER)
