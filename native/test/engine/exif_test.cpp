#include "image/exif.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>

#include "jpeg/writer.h"

namespace ghostnet {
namespace {

using test::Bytes;
using test::exif_segment;

/** Reads a copy of exactly its size, so that a sanitizer finds a read beyond it. */
int orientation(const Bytes& segment) {
  const std::unique_ptr<uint8_t[]> copy(new uint8_t[segment.size()]);
  std::copy(segment.begin(), segment.end(), copy.get());
  return exif_orientation({copy.get(), segment.size()});
}

TEST(Exif, HasTheOrientationInBothByteOrders) {
  for (int tag = 0; tag <= 8; ++tag) {
    EXPECT_EQ(orientation(exif_segment(tag, false)), tag);
    EXPECT_EQ(orientation(exif_segment(tag, true)), tag);
  }
  EXPECT_EQ(orientation(exif_segment(9, true)), 0);
  EXPECT_EQ(orientation(exif_segment(0x0100, false)), 0);
}

// In exif_segment, the entry begins at 6 + 8 + 2 + 12 = 28: a tag, a type, a count, a value.
TEST(Exif, TakesAWholeNumberOfAnyWidth) {
  for (const bool big_endian : {false, true}) {
    Bytes segment = exif_segment(6, big_endian);
    const size_t type = 28 + 2 + (big_endian ? 1 : 0);
    std::fill_n(segment.begin() + 36, 4, 0);
    segment[36] = 8;
    segment[type] = 1;  // a byte
    EXPECT_EQ(orientation(segment), 8);
    std::fill_n(segment.begin() + 36, 4, 0);
    segment[big_endian ? 39 : 36] = 7;
    segment[type] = 4;  // a long
    EXPECT_EQ(orientation(segment), 7);
    segment[type] = 5;  // a fraction
    EXPECT_EQ(orientation(segment), 0);
    segment[type] = 4;
    segment[32 + (big_endian ? 3 : 0)] = 2;  // two of them
    EXPECT_EQ(orientation(segment), 0);
  }
}

TEST(Exif, IsNothingElse) {
  EXPECT_EQ(orientation({}), 0);
  Bytes segment = exif_segment(6, true);
  EXPECT_TRUE(is_exif(segment));
  for (const size_t at : {0, 4, 5}) {  // "Exif\0\0"
    Bytes other = segment;
    other[at] ^= 1;
    EXPECT_FALSE(is_exif(other));
    EXPECT_EQ(orientation(other), 0);
  }
  for (const size_t at : {6, 7, 8, 9}) {  // "MM\0*"
    Bytes other = segment;
    other[at] ^= 1;
    EXPECT_EQ(orientation(other), 0);
  }
  Bytes other = segment;
  other[29] ^= 1;  // another tag
  EXPECT_EQ(orientation(other), 0);
}

TEST(Exif, DoesNotReadOutside) {
  for (const bool big_endian : {false, true}) {
    const Bytes segment = exif_segment(6, big_endian);
    for (size_t size = 0; size < segment.size(); ++size) {
      const int found = orientation(Bytes(segment.begin(), segment.begin() + static_cast<ptrdiff_t>(size)));
      EXPECT_EQ(found, size < 38 ? 0 : 6) << size;
      // With the rest behind the end, where it must not count.
      EXPECT_EQ(exif_orientation(std::span(segment).first(size)), found) << size;
    }
    for (const uint8_t offset : {0x7f, 0xff}) {  // of the directory: far outside, and the largest there is
      Bytes far = segment;
      std::fill_n(far.begin() + 10, 4, offset);
      EXPECT_EQ(orientation(far), 0);
    }
    Bytes many = segment;
    std::fill_n(many.begin() + 14, 2, 0xff);  // entries
    many[28] = many[29] = 0;
    EXPECT_EQ(orientation(many), 0);
    std::mt19937 engine(1);
    for (int time = 0; time < 20000; ++time) {
      Bytes random = segment;
      for (int change = 0; change < 4; ++change) {
        random[6 + engine() % (random.size() - 6)] = static_cast<uint8_t>(engine());
      }
      const int found = orientation(random);
      EXPECT_TRUE(found >= 0 && found <= 8);
    }
  }
}

}  // namespace
}  // namespace ghostnet
