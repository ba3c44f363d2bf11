// The pixels of prepare_jpeg: those of the whole image.
#include "image/jpeg.h"

#include <gtest/gtest.h>

#include <optional>
#include <sstream>
#include <string>
#include <tuple>
#include <vector>

#include "jpeg/prepare.h"
#include "jpeg/reference.h"
#include "jpeg/writer.h"

namespace ghostnet {
namespace {

using test::Bytes;
using test::Decoded;
using test::draw;
using test::kSmall;
using test::Picture;
using test::prepare;
using test::Prepared;
using test::Scans;
using test::write_jpeg;
using test::Written;

struct Sampling {
  const char* name;
  std::array<int, 3> horizontal, vertical;
};

const Sampling kSamplings[] = {
    {"4:4:4", {1, 1, 1}, {1, 1, 1}},       {"4:2:2", {2, 1, 1}, {1, 1, 1}}, {"4:2:0", {2, 1, 1}, {2, 1, 1}},
    {"4:4:0", {1, 1, 1}, {2, 1, 1}},       {"4:1:1", {4, 1, 1}, {1, 1, 1}}, {"4:1:0", {4, 1, 1}, {2, 1, 1}},
    {"mixed", {2, 1, 2}, {2, 2, 1}},       {"1x4", {1, 1, 1}, {4, 1, 1}},   {"1x4 1x2", {1, 1, 1}, {4, 2, 1}},
    {"2x1", {2, 2, 2}, {1, 1, 1}},         {"3x1", {3, 1, 1}, {1, 1, 1}},   {"1x3", {1, 1, 1}, {3, 1, 1}},
    {"fine chroma", {1, 2, 2}, {1, 2, 2}},
};

/** Every kind of file that is decoded here. */
std::vector<Written> kinds() {
  std::vector<Written> all;
  for (const Sampling& sampling : kSamplings) {
    for (const Scans scans : {Scans::one, Scans::per_component, Scans::progressive, Scans::unfinished}) {
      for (const bool grey : {false, true}) {
        for (const unsigned restart : {0u, 3u}) {
          if (grey && scans == Scans::per_component) continue;  // it has one
          all.push_back({.grey = grey,
                         .horizontal = sampling.horizontal,
                         .vertical = sampling.vertical,
                         .scans = scans,
                         .restart_interval = restart});
        }
      }
    }
  }
  for (const Scans scans : {Scans::one, Scans::progressive}) {
    all.push_back({.rgb = true, .horizontal = {1, 1, 1}, .vertical = {1, 1, 1}, .scans = scans});
  }
  return all;
}

std::string text_of(const Written& how) {
  std::ostringstream text;
  text << (how.grey ? "grey" : how.rgb ? "RGB" : "YCbCr");
  for (size_t index = 0; index < 3; ++index)
    text << " " << how.horizontal[index] << "x" << how.vertical[index];
  text << ", scans " << static_cast<int>(how.scans) << ", restart " << how.restart_interval << ", tag "
       << how.orientation;
  return text.str();
}

void expect_whole(const Bytes& file, const Written& how, const Transform& transform, int height, int width) {
  const std::optional<Decoded> whole = test::decode_whole(file);
  ASSERT_TRUE(whole);
  const Prepared prepared = prepare(file, transform);
  ASSERT_EQ(prepared.result.outcome, JpegOutcome::decoded);
  ASSERT_EQ(prepared.result.scale, 8);
  ASSERT_EQ(prepared.pixels, test::prepare_whole(*whole, transform, how.orientation))
      << text_of(how) << ", " << width << " x " << height << ", crop " << transform.crop;
}

TEST(Jpeg, HasThePixelsOfTheWholeImage) {
  unsigned seed = 0;
  for (const Written& how : kinds()) {
    for (const auto& [height, width] : {std::pair{1, 1}, {9, 17}, {101, 233}, {250, 77}}) {
      const Bytes file = write_jpeg(draw(height, width, ++seed), how);
      for (const double crop : {1.0, 0.875, 0.4}) {
        expect_whole(file, how, {.input_size = 32, .crop = crop}, height, width);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// The crop of these is not resized, so that every pixel counts. It begins at every place of a block.
TEST(Jpeg, HasThePixelsOfTheWholeImageWhereverACropBegins) {
  unsigned seed = 0;
  for (const Written& how : kinds()) {
    for (int longer = 41; longer < 41 + 2 * 32; longer += 2) {
      const bool is_tall = longer % 4 == 1;
      for (const auto& [height, width] : {std::pair{longer, 40}, {40, longer}}) {
        if (how.scans != Scans::one && (height > width) != is_tall) continue;  // half of them will do
        expect_whole(write_jpeg(draw(height, width, ++seed), how), how, kSmall, height, width);
        if (HasFatalFailure()) return;
      }
    }
  }
}

// The decoder smooths the blocks of an unfinished progressive image by those around them. These are enlarged,
// so that the outermost pixels that a crop depends on count.
TEST(Jpeg, HasThePixelsOfTheWholeImageWhereBlocksAreSmoothed) {
  for (Written how : kinds()) {
    if (how.scans != Scans::unfinished) continue;
    how.quality = 50;
    for (int longer = 90; longer < 90 + 2 * 32; longer += 2) {
      for (const auto& [height, width] : {std::pair{longer, 30}, {30, longer}}) {
        expect_whole(write_jpeg(test::draw_blocks(height, width, 1), how), how, kSmall, height, width);
        if (HasFatalFailure()) return;
      }
    }
  }
}

TEST(Jpeg, IsTurnedUpright) {
  for (int tag = 0; tag <= 9; ++tag) {
    for (const bool big_endian : {false, true}) {
      for (const Scans scans : {Scans::one, Scans::progressive}) {
        const Written how = {.scans = scans, .orientation = tag, .big_endian = big_endian};
        for (const auto& [height, width] : {std::pair{150, 77}, {40, 131}}) {
          expect_whole(write_jpeg(draw(height, width, 5), how), how, kSmall, height, width);
          if (HasFatalFailure()) return;
        }
      }
    }
  }
}

TEST(Jpeg, IsTurnedByTheFirstExifSegment) {
  const Bytes file = write_jpeg(draw(60, 90, 1), {.orientation = 6});
  const auto with = [&](const Bytes& content) {
    const size_t length = content.size() + 2;
    Bytes other = {0xff, 0xd8, 0xff, 0xe1, static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length)};
    other.insert(other.end(), content.begin(), content.end());
    other.insert(other.end(), file.begin() + 2, file.end());
    return prepare(other).pixels;
  };
  const std::string xmp = "http://ns.adobe.com/xap/1.0/";
  const Bytes turned = prepare(file).pixels;
  EXPECT_EQ(with(Bytes(xmp.begin(), xmp.end())), turned);
  EXPECT_EQ(with({}), turned);
  const Bytes upright = prepare(write_jpeg(draw(60, 90, 1), {})).pixels;
  EXPECT_NE(upright, turned);
  EXPECT_EQ(with(test::exif_segment(1, true)), upright);
  EXPECT_EQ(with({'E', 'x', 'i', 'f', 0, 0}), upright);
}

// libjpeg gets a file in portions.
TEST(Jpeg, HasThePixelsOfALargeFile) {
  for (const Scans scans : {Scans::one, Scans::progressive}) {
    const Written how = {.scans = scans, .quality = 100};
    const Bytes file = write_jpeg(draw(700, 1100, 2), how);
    ASSERT_GT(file.size(), 800'000u);
    expect_whole(file, how, {.input_size = 600, .crop = 0.9}, 700, 1100);
  }
}

/** Compares with the whole image at the scale that is chosen. @return the scale, 0 if a pixel differs */
int fast_scale(const Picture& picture, Written how, int tag = 1) {
  how.orientation = tag;
  const Bytes file = write_jpeg(picture, how);
  const Prepared prepared = prepare(file, kSmall, {.decode = Decode::fast});
  const int scale = prepared.result.scale;
  const std::optional<Decoded> whole = test::decode_whole(file, scale);
  EXPECT_TRUE(whole) << text_of(how);
  return whole && prepared.pixels == test::push_whole(*whole, kSmall, tag, scale) ? scale : 0;
}

TEST(Jpeg, DecodesFastAtTheSmallestScaleThatIsLargeEnough) {
  // The shorter side becomes 40 pixels, and must keep at least 160.
  for (const auto& [height, width, scale] : {std::tuple{319, 500, 8},
                                             {320, 500, 4},
                                             {500, 639, 4},
                                             {801, 641, 2},
                                             {1279, 1290, 2},
                                             {1280, 1291, 1}}) {
    const Picture picture = draw(height, width, 3);
    for (const int tag : {1, 6, 7})
      EXPECT_EQ(fast_scale(picture, {}, tag), scale) << height << ", tag " << tag;
    EXPECT_EQ(prepare(write_jpeg(picture, {})).result.scale, 8);
  }
}

TEST(Jpeg, DecodesFastToThePixelsOfTheWholeImage) {
  const std::pair<Picture, int> pictures[] = {
      {draw(330, 373, 1), 4}, {draw(685, 645, 1), 2}, {draw(1281, 1337, 1), 1}};
  for (const auto& [picture, scale] : pictures) {
    for (const Written& how : kinds()) {
      if (how.restart_interval > 0) continue;
      ASSERT_EQ(fast_scale(picture, how, 8), scale) << text_of(how);
    }
  }
}

TEST(Jpeg, LeavesOtherKindsToOtherDecoders) {
  Written how = {.cmyk = true};
  EXPECT_EQ(prepare(write_jpeg(draw(50, 60, 1), how)).result.outcome, JpegOutcome::unsupported);
  // The marker of the frame makes a file another kind: extended with 12 bits, arithmetic, lossless,
  // hierarchical.
  const Bytes file = write_jpeg(draw(50, 60, 1), {});
  const uint8_t sof0[] = {0xff, 0xc0};
  const auto frame = std::search(file.begin(), file.end(), sof0, sof0 + 2) - file.begin();
  const auto with = [&](uint8_t marker, uint8_t precision) {
    Bytes other = file;
    other[static_cast<size_t>(frame + 1)] = marker;
    other[static_cast<size_t>(frame + 4)] = precision;
    return prepare(other).result.outcome;
  };
  EXPECT_EQ(with(0xc1, 8), JpegOutcome::decoded);
  EXPECT_EQ(with(0xc1, 12), JpegOutcome::unsupported);
  EXPECT_EQ(with(0xc9, 8), JpegOutcome::unsupported);
  EXPECT_EQ(with(0xca, 8), JpegOutcome::unsupported);
  EXPECT_EQ(with(0xc5, 8), JpegOutcome::unsupported);
  // Two samples for three pixels.
  Bytes fractional = file;
  fractional[static_cast<size_t>(frame + 11)] = 0x31;
  fractional[static_cast<size_t>(frame + 14)] = fractional[static_cast<size_t>(frame + 17)] = 0x21;
  EXPECT_EQ(prepare(fractional).result.outcome, JpegOutcome::unsupported);
  how = {.lossless = true};
  EXPECT_EQ(prepare(write_jpeg(draw(50, 60, 1), how)).result.outcome, JpegOutcome::unsupported);
}

TEST(Jpeg, IsRecognisedByItsFirstBytes) {
  EXPECT_TRUE(is_jpeg(write_jpeg(draw(5, 6, 1), {})));
  for (const Bytes& other :
       {Bytes{}, Bytes{0xff, 0xd8}, Bytes{0xff, 0xd8, 0x00}, Bytes{0x89, 'P', 'N', 'G'}}) {
    EXPECT_FALSE(is_jpeg(other));
  }
}

}  // namespace
}  // namespace ghostnet
