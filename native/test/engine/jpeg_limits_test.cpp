// The limits of prepare_jpeg: pixels, scans, memory, time.
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "base/error.h"
#include "jpeg/prepare.h"

namespace ghostnet {
namespace {

using test::Bytes;
using test::draw;
using test::kSmall;
using test::Picture;
using test::prepare;
using test::Scans;
using test::write_jpeg;

/** The message of an error that says that an image is too large. */
std::string too_large(const Bytes& file, const JpegOptions& options) {
  try {
    prepare(file, kSmall, options);
  } catch (const Error& error) {
    if (error.code() == ErrorCode::GHOSTNET_IMAGE_TOO_LARGE) return error.found() + "; " + error.expected();
  }
  return "";
}

TEST(JpegLimits, NamesTooManyPixels) {
  const Bytes file = write_jpeg(draw(50, 60, 1), {});
  EXPECT_EQ(too_large(file, {.max_pixels = 3000}), "");
  EXPECT_EQ(too_large(file, {.max_pixels = 2999}), "3000 pixels, 60 x 50; at most 2999 pixels (maxPixels)");
}

TEST(JpegLimits, LooksAtThePixelsBeforeTheData) {
  Bytes header = write_jpeg(draw(50, 60, 1), {.scans = Scans::progressive});
  // A frame of 65500 x 65500 with not a byte of data.
  for (size_t at = 2; header[at + 1] != 0xda;
       at += 2 + static_cast<size_t>(header[at + 2] << 8 | header[at + 3])) {
    if (header[at + 1] == 0xc2) std::fill_n(header.begin() + static_cast<ptrdiff_t>(at) + 5, 4, 0xff);
    for (size_t byte : {6, 8}) {
      if (header[at + 1] == 0xc2) header[at + byte] = 0xdc;
    }
  }
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(too_large(header, {}), "4290250000 pixels, 65500 x 65500; at most 50000000 pixels (maxPixels)");
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(100));
}

TEST(JpegLimits, RefusesTooManyScans) {
  const Picture picture = draw(50, 60, 1);
  EXPECT_EQ(too_large(write_jpeg(picture, {.scans = Scans::hundred}), {}), "");
  EXPECT_EQ(too_large(write_jpeg(picture, {.scans = Scans::hundred_and_one}), {}),
            "more than 100 scans; at most 100 scans");
}

/** Of 120 x 70 pixels in 4:2:0: 15 x 9 blocks are rounded up to whole MCUs, of 2 x 2. */
constexpr int64_t kBytes = 128 * (16 * 10 + 2 * 8 * 5);

TEST(JpegLimits, NamesTooManyCoefficients) {
  const Picture picture = draw(70, 120, 1);
  for (const Scans scans : {Scans::progressive, Scans::per_component}) {
    const Bytes file = write_jpeg(picture, {.scans = scans});
    EXPECT_EQ(too_large(file, {.max_coefficient_bytes = kBytes}), "");
    EXPECT_EQ(too_large(file, {.max_coefficient_bytes = kBytes - 1}),
              "30720 bytes of coefficients, because it is stored in several scans; "
              "at most 30719 bytes (maxCoefficientBytes)");
  }
  EXPECT_EQ(too_large(write_jpeg(picture, {}), {.max_coefficient_bytes = 0}), "");
}

TEST(JpegLimits, LetsThreadsWaitForCoefficients) {
  const Bytes file = write_jpeg(draw(70, 120, 1), {.scans = Scans::progressive});
  const Bytes expected = prepare(file).pixels;
  std::atomic<int> decoded = 0;
  std::vector<std::thread> threads;
  for (int thread = 0; thread < 6; ++thread) {
    threads.emplace_back([&] {
      for (int time = 0; time < 30; ++time) {
        if (prepare(file, kSmall, {.max_coefficient_bytes = kBytes}).pixels == expected) ++decoded;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(decoded, 6 * 30);
}

TEST(JpegLimits, GivesCoefficientsBackAfterAnError) {
  Bytes file = write_jpeg(draw(70, 120, 1), {.scans = Scans::progressive});
  const Bytes whole = file;
  file.resize(file.size() / 2);
  const JpegOptions options = {.max_coefficient_bytes = kBytes};
  for (int time = 0; time < 3; ++time) EXPECT_THROW(prepare(file, kSmall, options), Error);
  EXPECT_EQ(prepare(whole, kSmall, options).result.outcome, JpegOutcome::decoded);
}

/** A picture of many pixels that is drawn in little time. */
Picture tiled(int height, int width) {
  const Picture tile = draw(64, 96, 1);
  Picture picture{height, width, {}};
  picture.pixels.reserve(static_cast<size_t>(height) * static_cast<size_t>(width) * 3);
  for (int y = 0; y < height; ++y) {
    const auto row = tile.pixels.begin() + (y % tile.height) * tile.width * 3;
    for (int x = 0; x < width; x += tile.width) {
      picture.pixels.insert(picture.pixels.end(), row, row + std::min(tile.width, width - x) * 3);
    }
  }
  return picture;
}

/**
 * Milliseconds from the cancellation of a decoder until it returns; 0 if it had decoded the image before.
 * They are counted by the processor, since this machine may have something else to do.
 */
double cancel_after(const Bytes& file, std::chrono::milliseconds delay) {
  std::atomic<bool> cancelled = false;
  std::clock_t at = 0;
  std::thread other([&] {
    std::this_thread::sleep_for(delay);
    at = std::clock();
    cancelled = true;
  });
  Bytes out(224 * 224 * 3);
  const JpegOptions options = {.max_coefficient_bytes = 1'000'000'000, .cancelled = &cancelled};
  const JpegOutcome outcome = prepare_jpeg(file, {}, options, out.data()).outcome;
  const std::clock_t end = std::clock();
  other.join();
  if (outcome == JpegOutcome::decoded) return 0;
  EXPECT_EQ(outcome, JpegOutcome::cancelled);
  return static_cast<double>(end - at) * 1000 / CLOCKS_PER_SEC;
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr double kAtOnce = 500;  // with checks, and without libjpeg's assembly
#else
constexpr double kAtOnce = 50;
#endif

/** A file that begins with so many comments of no length. */
Bytes with_comments(size_t count) {
  Bytes file = {0xff, 0xd8};
  for (; count > 0; --count) file.insert(file.end(), {0xff, 0xfe, 0, 2});
  const Bytes image = write_jpeg(draw(50, 60, 1), {});
  file.insert(file.end(), image.begin() + 2, image.end());
  return file;
}

TEST(JpegLimits, GivesUpAtOnceWhenCancelled) {
  const Bytes files[] = {
      write_jpeg(tiled(4000, 6000), {.scans = Scans::progressive}),
      write_jpeg(tiled(4000, 6000), {.scans = Scans::one}),
      // Few bytes, which take long: nothing in them ends the scans' runs of zeros.
      write_jpeg({2000, 3000, Bytes(2000 * 3000 * 3, 128)}, {.scans = Scans::hundred}),
      with_comments(20'000'000),
  };
  for (const Bytes& file : files) {
    int in_the_middle = 0;
    for (const int delay : {0, 5, 20, 50, 80, 120, 200, 300}) {
      const double taken = cancel_after(file, std::chrono::milliseconds(delay));
      EXPECT_LT(taken, kAtOnce) << "after " << delay << " ms";
      in_the_middle += taken > 0;
    }
    EXPECT_GE(in_the_middle, 3);
  }
}

TEST(JpegLimits, GivesUpAtOnceWhenCancelledBeforeItBegins) {
  const std::atomic<bool> cancelled = true;
  const Bytes file = write_jpeg(draw(70, 120, 1), {});
  EXPECT_EQ(prepare(file, kSmall, {.cancelled = &cancelled}).result.outcome, JpegOutcome::cancelled);
}

}  // namespace
}  // namespace ghostnet
