"""Writes the digits of scikit-learn as PNG files, 100 of each: python3 export.py <folder>

They are a copy of the test set of the UCI Optical Recognition of Handwritten Digits (8 x 8 pixels, 17 levels of grey), which is part of
the package scikit-learn: pip install scikit-learn.
"""

import struct
import sys
import zlib
from pathlib import Path

from sklearn.datasets import load_digits

EACH = 100


def png(pixels):
    """A PNG file of 8 bits of grey."""
    height, width = pixels.shape
    rows = b"".join(b"\0" + row.tobytes() for row in pixels)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


folder = Path(sys.argv[1] if len(sys.argv) > 1 else "digits")
digits = load_digits()
counts = [0] * 10
for image, label in zip(digits.images, digits.target):
    if counts[label] == EACH:
        continue
    pixels = (image * 255 / 16).round().astype("uint8")
    place = folder / str(label)
    place.mkdir(parents=True, exist_ok=True)
    (place / f"{counts[label]:03}.png").write_bytes(png(pixels))
    counts[label] += 1
print(f"{sum(counts)} images in {folder}")
