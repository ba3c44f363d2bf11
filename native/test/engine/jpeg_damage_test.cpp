// What prepare_jpeg refuses of damaged files, and what it does not.
#include <gtest/gtest.h>

#include <string>

#include "base/error.h"
#include "image/jpeg_end.h"
#include "jpeg/prepare.h"

namespace ghostnet {
namespace {

using test::Bytes;
using test::draw;
using test::prepare;
using test::Scans;
using test::write_jpeg;
using test::Written;

/** What libjpeg found, and nothing if the file is decoded. */
std::string found_in(const Bytes& file) {
  try {
    return prepare(file).result.outcome == JpegOutcome::decoded ? "" : "no image";
  } catch (const Error& error) {
    return error.code() == ErrorCode::GHOSTNET_IMAGE_UNDECODABLE ? error.found() : "another error";
  }
}

const Written kKinds[] = {{},
                          {.grey = true},
                          {.restart_interval = 2},
                          {.scans = Scans::per_component},
                          {.scans = Scans::progressive},
                          {.scans = Scans::progressive, .restart_interval = 2, .orientation = 6}};

TEST(JpegDamage, IsFoundWhereverAFileIsCutOff) {
  for (const Written& how : kKinds) {
    const Bytes file = write_jpeg(draw(90, 64, 1), how);
    ASSERT_EQ(found_in(file), "");
    for (size_t size = 0; size < file.size(); ++size) {
      const std::string found = found_in(Bytes(file.begin(), file.begin() + static_cast<ptrdiff_t>(size)));
      ASSERT_EQ(found, "Premature end of JPEG file") << size << " of " << file.size() << " bytes";
    }
  }
}

TEST(JpegDamage, IsNotFoundBehindTheImage) {
  for (const Written& how : kKinds) {
    Bytes file = write_jpeg(draw(90, 64, 1), how);
    for (const int byte : {0x00, 0xff, 0xd8, 0xff, 0xc0, 0x00}) {
      file.push_back(static_cast<uint8_t>(byte));
      EXPECT_EQ(found_in(file), "");
    }
    const Bytes second = write_jpeg(draw(20, 30, 1), {});
    file.insert(file.end(), second.begin(), second.end());  // as in a file of several pictures
    EXPECT_EQ(found_in(file), "");
  }
}

/** The offset of the first entropy-coded byte. */
size_t data_of(const Bytes& file) {
  size_t at = 2;
  while (file[at + 1] != 0xda) at += 2 + static_cast<size_t>(file[at + 2] << 8 | file[at + 3]);
  return at + 2 + static_cast<size_t>(file[at + 2] << 8 | file[at + 3]);
}

TEST(JpegDamage, IsFoundWhereAMarkerStandsInTheData) {
  for (const Written& how : kKinds) {
    for (const uint8_t marker : {0xd9, 0xc4, 0xe1, 0xfe}) {
      Bytes file = write_jpeg(draw(90, 64, 1), how);
      const size_t at = data_of(file) + (how.scans == Scans::one ? 200 : 10);
      file[at] = 0xff;
      file[at + 1] = marker;
      EXPECT_NE(found_in(file), "") << int{marker};
    }
  }
}

TEST(JpegDamage, IsFoundWhereARestartMarkerIsWrongOrMissing) {
  const Bytes file = write_jpeg(draw(90, 64, 1), {.restart_interval = 2});
  for (size_t at = data_of(file); at + 1 < file.size(); ++at) {
    if (file[at] != 0xff || file[at + 1] != 0xd3) continue;
    Bytes wrong = file;
    wrong[at + 1] = 0xd6;
    EXPECT_EQ(found_in(wrong), "Corrupt JPEG data: found marker 0xd6 instead of RST3");
    Bytes missing = file;
    missing.erase(missing.begin() + static_cast<ptrdiff_t>(at),
                  missing.begin() + static_cast<ptrdiff_t>(at) + 2);
    EXPECT_NE(found_in(missing), "");
    Bytes late = file;
    late.insert(late.begin() + static_cast<ptrdiff_t>(at), 100, 0x55);
    EXPECT_NE(found_in(late).find("extraneous bytes before marker 0xd3"), std::string::npos)
        << found_in(late);
    return;
  }
  FAIL() << "no restart marker";
}

TEST(JpegDamage, IsFoundInHeaders) {
  const Bytes file = write_jpeg(draw(90, 64, 1), {});
  EXPECT_EQ(found_in({}), "Premature end of JPEG file");
  EXPECT_EQ(found_in({'G', 'I', 'F', '8', '9', 'a'}), "Not a JPEG file: starts with 0x47 0x49");
  for (const auto& [marker, offset, value, text] : {
           std::tuple{0xc0, 5, 0, "Empty JPEG image (DNL not supported)"},  // the low byte of the height, 90
           {0xc0, 10, 0x05, "Bogus sampling factors"},
           {0xdb, 3, 0x10, "Bogus marker length"},
           {0xc4, 5, 0xff, "Bogus Huffman table definition"},
           {0xda, 3, 0x02, "Bogus marker length"},
       }) {
    Bytes damaged = file;
    size_t at = 2;
    while (damaged[at + 1] != marker) at += 2 + static_cast<size_t>(damaged[at + 2] << 8 | damaged[at + 3]);
    damaged[at + 1 + static_cast<size_t>(offset)] = static_cast<uint8_t>(value);
    EXPECT_EQ(found_in(damaged), text) << std::hex << marker;
  }
}

// Cameras and editors write such files; see is_harmless.
TEST(JpegDamage, IsNotSeenInWhatCostsNoPixels) {
  const Bytes file = write_jpeg(draw(90, 64, 1), {});
  const auto pixels = prepare(file).pixels;
  const auto with = [&](size_t at, Bytes more, size_t instead = 0) {
    Bytes other = file;
    const auto from = other.begin() + static_cast<ptrdiff_t>(at);
    other.erase(from, from + static_cast<ptrdiff_t>(instead));
    other.insert(other.begin() + static_cast<ptrdiff_t>(at), more.begin(), more.end());
    return other;
  };
  const Bytes same[] = {
      with(2, {1, 2, 3}),                                                            // between segments
      with(file.size() - 2, {1, 2, 3, 0xff, 0xff}),                                  // before the end
      with(11, {7}, 1),                                                              // version of JFIF
      with(data_of(file) - 2, {0}, 1),                                               // Se, always 63
      with(2, {0xff, 0xee, 0, 14, 'A', 'd', 'o', 'b', 'e', 0, 100, 0, 0, 0, 0, 9}),  // transform 9
  };
  for (const Bytes& other : same) {
    ASSERT_EQ(found_in(other), "");
    EXPECT_EQ(prepare(other).pixels, pixels);
  }
}

TEST(JpegEnd, IsFoundAsADecoderMeetsIt) {
  const auto is_found = [](const Bytes& rest) { return has_end_of_image(rest, nullptr); };
  EXPECT_TRUE(is_found({0xff, 0xd9}));
  EXPECT_TRUE(is_found({1, 2, 0xff, 0x00, 3, 0xff, 0xd0, 4, 0xff, 0xff, 0xff, 0xd9, 5}));
  EXPECT_TRUE(is_found({0xff, 0xfe, 0, 4, 0xff, 0xd9, 0xff, 0xd9}));
  EXPECT_FALSE(is_found({}));
  EXPECT_FALSE(is_found({1, 2, 3}));
  EXPECT_FALSE(is_found({0xff}));
  EXPECT_FALSE(is_found({0xff, 0xff}));
  EXPECT_FALSE(is_found({0xd9, 0xff, 0x00, 0xd9}));
  EXPECT_FALSE(is_found({0xff, 0xfe, 0, 4, 0xff, 0xd9}));              // in a comment
  EXPECT_FALSE(is_found({0xff, 0xfe, 0, 5, 0xff, 0xd9, 0xff, 0xd9}));  // half in a comment
  EXPECT_FALSE(is_found({0xff, 0xfe, 0xff}));
  EXPECT_FALSE(is_found({0xff, 0xfe, 0xff, 0xff, 0xff, 0xd9}));
}

}  // namespace
}  // namespace ghostnet
