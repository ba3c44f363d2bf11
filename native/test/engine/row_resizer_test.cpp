#include "image/row_resizer.h"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <random>

#include "base/error.h"
#include "kernels/cpu/capability.h"
#include "test/engine/pil_cases.h"
#include "test/engine/pil_resize.h"

namespace ghostnet {
namespace {

/** Bytes between two pages that cannot be accessed, at the end or at the start of what is between them. */
class GuardedBytes {
 public:
  GuardedBytes(size_t bytes, bool at_end) {
    const auto page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    const size_t inside = (bytes + page - 1) / page * page;
    size_ = inside + 2 * page;
    memory_ = static_cast<uint8_t*>(mmap(nullptr, size_, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    EXPECT_NE(static_cast<void*>(memory_), MAP_FAILED);
    EXPECT_EQ(mprotect(memory_ + page, inside, PROT_READ | PROT_WRITE), 0);
    data_ = memory_ + page + (at_end ? inside - bytes : 0);
  }
  ~GuardedBytes() { munmap(memory_, size_); }
  GuardedBytes(const GuardedBytes&) = delete;
  GuardedBytes& operator=(const GuardedBytes&) = delete;

  uint8_t* data() const { return data_; }

 private:
  uint8_t* memory_;
  size_t size_;
  uint8_t* data_;
};

/** Pushes the rows of an image in groups of some number of rows, from memory that then changes. */
std::vector<uint8_t> resize(const Transform& transform, const StoredImage& stored, const TestImage& image,
                            int64_t together) {
  const auto size = static_cast<size_t>(transform.input_size * transform.input_size * 3);
  const GuardedBytes out(size, true);
  std::memset(out.data(), 0x5a, size);
  RowResizer resizer(transform, stored, out.data());
  const Window window = resizer.window();
  EXPECT_TRUE(0 <= window.top && window.top < window.bottom && window.bottom <= stored.rows);
  EXPECT_TRUE(0 <= window.left && window.left < window.right && window.right <= stored.columns);
  together = std::min(together, window.bottom - window.top);
  const int64_t bytes = 3 * (window.right - window.left);
  const int64_t stride = bytes + RowResizer::kReadableBehind;
  const GuardedBytes memory(static_cast<size_t>(together * stride), true);
  for (int64_t top = window.top; top < window.bottom; top += together) {
    const int64_t count = std::min(together, window.bottom - top);
    uint8_t* first = memory.data() + (together - count) * stride;
    std::vector<const uint8_t*> rows;
    for (int64_t index = 0; index < count; ++index) {
      rows.push_back(first + index * stride);
      std::memcpy(first + index * stride,
                  image.bytes.data() + ((top + index) * image.width + window.left) * 3,
                  static_cast<size_t>(bytes));
    }
    resizer.push(rows.data(), count);
    std::memset(first, static_cast<int>(top), static_cast<size_t>(count * stride));
  }
  return {out.data(), out.data() + size};
}

/** Where the covered part is once the image is upright. */
Box covered_box(const StoredImage& stored, int tag) {
  const bool right = tag == 2 || tag == 3 || tag == 7 || tag == 8;
  const bool bottom = tag == 3 || tag == 4 || tag == 6 || tag == 7;
  const double left = right ? static_cast<double>(stored.columns) - stored.covered_columns : 0;
  const double top = bottom ? static_cast<double>(stored.rows) - stored.covered_rows : 0;
  const Box box = {left, top, left + stored.covered_columns, top + stored.covered_rows};
  return tag >= 5 ? Box{box.top, box.left, box.bottom, box.right} : box;
}

uint64_t checksum(const std::vector<uint8_t>& bytes) {
  uint64_t value = 0xcbf29ce484222325;
  for (const uint8_t byte : bytes) value = (value ^ byte) * 0x100000001b3;
  return value;
}

class RowResizerOn : public testing::TestWithParam<cpu::Capability> {
 protected:
  void SetUp() override { setenv("GHOSTNET_CPU_CAPABILITY", cpu::name_of(GetParam()), 1); }
  void TearDown() override { unsetenv("GHOSTNET_CPU_CAPABILITY"); }
};
INSTANTIATE_TEST_SUITE_P(Capabilities, RowResizerOn, testing::ValuesIn(cpu::available_capabilities()),
                         [](const auto& info) { return cpu::name_of(info.param); });

TEST_P(RowResizerOn, GivesTheBytesOfPil) {
  for (const PilCase& pil : kPilCases) {
    const TestImage image = noise(pil.rows, pil.columns, pil.seed);
    EXPECT_EQ(checksum(resize(pil.transform(), pil.stored(), image, 8)), pil.checksum)
        << testing::PrintToString(pil);
  }
}

/** A random image and transform. Small, because the plain form takes long. */
PilCase random_case(uint32_t seed) {
  std::mt19937 random(seed);
  const auto below = [&](int64_t end) { return static_cast<int64_t>(random() % static_cast<uint64_t>(end)); };
  // Short and long sides, both ways around.
  const int64_t longest[] = {3, 40, 90, 300};
  const auto side = [&] { return 1 + below(longest[below(4)]); };
  PilCase pil = {};
  pil.rows = side();
  pil.columns = side();
  if (std::max(pil.rows, pil.columns) > 60 * std::min(pil.rows, pil.columns)) pil.rows = pil.columns;
  // So tall or wide that PIL's vertical pass comes first, for some orientations.
  if (below(4) == 0) {
    const int64_t shorter = 40 + below(80);
    const int64_t longer = shorter * (2 + below(4)) + below(40);
    pil.rows = below(2) == 0 ? shorter : longer;
    pil.columns = pil.rows == shorter ? longer : shorter;
  }
  // A decoder at a reduced scale yields 8 at the full one, or 4, 2, 1.
  const int64_t scale = int64_t{1} << below(4);
  const auto covered = [&](int64_t decoded, int64_t& whole) {
    whole = std::max<int64_t>((decoded * 8 - below(8)) / scale, 1);
    if ((whole * scale + 7) / 8 != decoded) whole = decoded * 8 / scale;
    return static_cast<double>(whole * scale) / 8;
  };
  pil.covered_rows = covered(pil.rows, pil.height);
  pil.covered_columns = covered(pil.columns, pil.width);
  pil.tag = static_cast<int>(below(10));
  pil.size = 32 + below(70);
  pil.crop = 1 - 0.1 * static_cast<double>(below(8));
  pil.interpolation = below(2) == 0 ? Interpolation::bicubic : Interpolation::bilinear;
  pil.seed = seed;
  return pil;
}

/** A random case, and what it should give: computed once for all capabilities. */
struct PlainCase {
  PilCase pil;
  std::vector<uint8_t> expected;

  explicit PlainCase(uint32_t seed) : pil(random_case(seed)) {
    const bool transpose = pil.tag >= 5 && pil.tag <= 8;
    const CropPlan plan =
        plan_crop(pil.transform(), transpose ? pil.width : pil.height, transpose ? pil.height : pil.width);
    const TestImage image = upright(noise(pil.rows, pil.columns, seed), pil.tag);
    const Box box = covered_box(pil.stored(), pil.tag <= 8 ? pil.tag : 1);
    expected = pil_resize_and_crop(pil.transform(), plan, image, box).bytes;
  }
};

TEST_P(RowResizerOn, GivesTheBytesOfThePlainForm) {
  constexpr int64_t kTogether[] = {1, 2, 3, 4, 7, 8, 9, 16, 37, 1000};
  static const std::vector<PlainCase> cases = [] {
    std::vector<PlainCase> made;
    for (uint32_t seed = 0; seed < 300; ++seed) made.emplace_back(seed);
    return made;
  }();
  for (const PlainCase& plain : cases) {
    const PilCase& pil = plain.pil;
    const TestImage image = noise(pil.rows, pil.columns, pil.seed);
    const int64_t together = kTogether[pil.seed % std::size(kTogether)];
    ASSERT_EQ(resize(pil.transform(), pil.stored(), image, together), plain.expected)
        << testing::PrintToString(pil) << ", " << together << " rows together";
  }
}

TEST_P(RowResizerOn, KeepsAnImageThatHasTheResizedSize) {
  const Transform transform = {.input_size = 48, .crop = 1};
  const TestImage image = noise(48, 48, 5);
  for (int tag = 1; tag <= 8; ++tag) {
    const StoredImage stored = StoredImage::whole(48, 48, orientation_of(tag));
    EXPECT_EQ(resize(transform, stored, image, 5), upright(image, tag).bytes) << "orientation " << tag;
  }
}

TEST_P(RowResizerOn, ResizesPixelsWithinTheirMemory) {
  for (const auto& [height, width] : std::vector<std::pair<int64_t, int64_t>>{
           {1, 1}, {5, 1}, {40, 1}, {1, 40}, {3, 4}, {90, 31}, {64, 130}}) {
    const Transform transform = {.input_size = 37, .crop = 0.9};
    const TestImage image = noise(height, width, 4);
    const TestImage expected =
        pil_resize_and_crop(transform, plan_crop(transform, height, width), image,
                            {0, 0, static_cast<double>(width), static_cast<double>(height)});
    for (const bool at_end : {true, false}) {
      const GuardedBytes pixels(image.bytes.size(), at_end);
      const GuardedBytes out(expected.bytes.size(), at_end);
      std::memcpy(pixels.data(), image.bytes.data(), image.bytes.size());
      resize_pixels(transform, pixels.data(), height, width, out.data());
      EXPECT_EQ(std::memcmp(out.data(), expected.bytes.data(), expected.bytes.size()), 0)
          << width << "x" << height;
    }
  }
}

TEST(RowResizer, RefusesAnElongatedImage) {
  uint8_t out;
  for (const int tag : {1, 6}) {
    try {
      RowResizer({}, StoredImage::whole(1, 5000, orientation_of(tag)), &out);
      ADD_FAILURE() << "It was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::GHOSTNET_BAD_SHAPE);
    }
  }
}

TEST(RowResizer, ReadsNoMoreThanTheCropDependsOn) {
  // The crop of a transposed image: 224 of 256 rows and of 341 columns of the upright image.
  const Window window = [] {
    std::vector<uint8_t> out(224 * 224 * 3);
    return RowResizer({}, StoredImage::whole(4000, 3000, orientation_of(6)), out.data()).window();
  }();
  // 112 output pixels and half a filter on each side of the centre, to within an output pixel.
  const double scale = 3000.0 / 256;
  EXPECT_NEAR(static_cast<double>(window.top), 2000 - (112 + 2) * scale, scale);
  EXPECT_NEAR(static_cast<double>(window.bottom), 2000 + (112 + 2) * scale, scale);
  EXPECT_NEAR(static_cast<double>(window.left), 1500 - (112 + 2) * scale, scale);
  EXPECT_NEAR(static_cast<double>(window.right), 1500 + (112 + 2) * scale, scale);
}

}  // namespace
}  // namespace ghostnet
