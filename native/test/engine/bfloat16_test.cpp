// The kernels on bfloat16, value by value against arithmetic in double: a sum differs by the rounding of its
// result and a little float32 rounding.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>
#include <vector>

#include "kernels/cpu/packing.h"

namespace ghostnet::cpu {
namespace {

double widened(BFloat16 value) { return std::bit_cast<float>(static_cast<uint32_t>(value) << 16); }

// Rounds through the exponent, not the bits, so that the kernels are not tested against their own method.
BFloat16 nearest(double value) {
  if (value == 0) return BFloat16{};
  int exponent;
  const double fraction = std::frexp(value, &exponent);
  const double rounded = std::ldexp(std::nearbyint(std::ldexp(fraction, 8)), exponent - 8);
  return BFloat16{static_cast<uint16_t>(std::bit_cast<uint32_t>(static_cast<float>(rounded)) >> 16)};
}

void expect_rounded(BFloat16 actual, double expected, double magnitude) {
  ASSERT_LE(std::abs(widened(actual) - expected), std::abs(expected) / 256 + magnitude * 1e-6);
}

class BFloat16Kernels : public testing::Test {
 protected:
  // On other processors, instructions such as vdpbf16ps end the process, so there is nothing to test. npm
  // test counts and lists the skipped tests.
  void SetUp() override {
    if (kernels_of(available_capabilities().back()).bfloat16 == nullptr)
      GTEST_SKIP() << "this processor lacks AVX512_BF16, which the kernels need";
  }

  int64_t between(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(random_);
  }
  std::vector<float> floats(int64_t count) {
    std::normal_distribution<float> normal;
    std::vector<float> values(static_cast<size_t>(count));
    for (float& value : values) value = normal(random_);
    return values;
  }
  // Followed by NaN, which kernels may read, but which must not reach any result.
  std::vector<BFloat16> values(int64_t count) {
    std::vector<BFloat16> drawn(static_cast<size_t>(count + kReadableBehind), BFloat16{0x7fff});
    const std::vector<float> from = floats(count);
    for (size_t index = 0; index < from.size(); ++index) drawn[index] = nearest(from[index]);
    return drawn;
  }

  const KernelsOn<BFloat16>& kernels_ = *kernels_of(available_capabilities().back()).bfloat16;
  ArrayPool pool_{0};
  const Packing<BFloat16> packing_ = {kernels_, pool_};
  std::mt19937_64 random_{1};
};

TEST_F(BFloat16Kernels, WeightsAreRoundedToNearestEven) {
  // The last bit kept is 2^-7 relative to 1; half of it rounds to the even neighbour.
  const float unit = 1.f / 128;
  const std::vector<float> weights = {
      1 + unit / 2, 1 + 1.5f * unit, 1 + unit * 0.51f, -1 - unit / 2, std::nanf(""), INFINITY, -0.f};
  const std::vector<float> bias(7);
  const PackedProduct<BFloat16> packed = pack_product(packing_, weights.data(), bias.data(), 7, 1);
  const auto* pairs = packed.weights.data();
  EXPECT_EQ(widened(pairs[0]), 1);
  EXPECT_EQ(widened(pairs[2]), 1 + 2 * unit);
  EXPECT_EQ(widened(pairs[4]), 1 + unit);
  EXPECT_EQ(widened(pairs[6]), -1);
  EXPECT_TRUE(std::isnan(widened(pairs[8])));
  EXPECT_EQ(widened(pairs[10]), INFINITY);
  EXPECT_TRUE(std::signbit(widened(pairs[12])));
  for (int64_t column = 0; column < 16; ++column) EXPECT_EQ(widened(pairs[2 * column + 1]), 0);
}

TEST_F(BFloat16Kernels, ProductsAreThoseOfTheirValues) {
  for (int round = 0; round < 300; ++round) {
    const int64_t columns = between(1, 130);
    const int64_t depth = between(1, 70);
    const int64_t segments = between(1, 3);
    const int64_t rows = between(1, 40);
    const int64_t row_stride = depth + between(0, 5);
    const int64_t segment_stride = rows * row_stride;
    const bool relu = between(0, 1) == 1;
    const bool has_residual = between(0, 1) == 1;
    const bool has_plain = between(0, 1) == 1;
    const bool has_gate = segments == 1 && between(0, 1) == 1;
    const std::vector<float> weights = floats(columns * segments * depth);
    const std::vector<float> bias = floats(columns);
    const std::vector<float> gate = floats(depth);
    const std::vector<BFloat16> a = values(segments * segment_stride);
    const std::vector<BFloat16> residual = values(rows * columns);
    const PackedProduct<BFloat16> packed =
        pack_product(packing_, weights.data(), bias.data(), columns, depth, segments);
    const int64_t plain_stride = round_up(columns, 16);
    std::vector<BFloat16> out(static_cast<size_t>(rows * columns));
    std::vector<BFloat16> plain(static_cast<size_t>(rows * plain_stride));
    std::vector<BFloat16> scaled(static_cast<size_t>(round_up(depth, 2) * plain_stride));
    if (has_gate) {
      for (const auto& panel : packed.panels) {
        kernels_.scale_panel(packed.weights.data() + panel.offset, gate.data(), depth, panel.width,
                             scaled.data() + panel.offset);
      }
    }
    ProductOf<BFloat16> call{};
    call.a = a.data();
    call.row_stride = row_stride;
    call.segment_stride = segment_stride;
    call.rows = rows;
    call.relu = relu;
    call.residual = has_residual ? residual.data() : nullptr;
    call.out = out.data();
    call.out_stride = columns;
    call.plain = has_plain ? plain.data() : nullptr;
    call.plain_stride = plain_stride;
    run_product(kernels_, packed, has_gate ? scaled.data() : packed.weights.data(), packed.all_panels(),
                call);
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t column = 0; column < columns; ++column) {
        double sum = bias[static_cast<size_t>(column)];
        double magnitude = std::abs(sum) + 1;
        for (int64_t segment = 0; segment < segments; ++segment) {
          for (int64_t k = 0; k < depth; ++k) {
            double weight =
                widened(nearest(weights[static_cast<size_t>((column * segments + segment) * depth + k)]));
            if (has_gate) weight = widened(nearest(weight * gate[static_cast<size_t>(k)]));
            const double product =
                weight * widened(a[static_cast<size_t>(segment * segment_stride + row * row_stride + k)]);
            sum += product;
            magnitude += std::abs(product);
          }
        }
        if (relu) sum = std::max(sum, 0.);
        if (has_plain)
          expect_rounded(plain[static_cast<size_t>(row * plain_stride + column)], sum, magnitude);
        if (has_residual) sum += widened(residual[static_cast<size_t>(row * columns + column)]);
        expect_rounded(out[static_cast<size_t>(row * columns + column)], sum, magnitude);
        ASSERT_FALSE(HasFatalFailure()) << "round " << round;
      }
    }
  }
}

TEST_F(BFloat16Kernels, DepthwiseRowsAreThoseOfTheirValues) {
  for (int round = 0; round < 300; ++round) {
    const int64_t kernel = 2 * between(0, 3) + 1;
    const int64_t stride = between(1, 3);
    const int64_t channels = between(1, 70);
    const int64_t height = kernel + between(0, 3);
    const int64_t width = between(1, 30);
    const int64_t out_width = (width - 1) / stride + 1;
    const bool relu = between(0, 1) == 1;
    const std::vector<float> weights = floats(channels * kernel * kernel);
    const std::vector<float> bias = floats(channels);
    const std::vector<BFloat16> x = values(height * width * channels);
    const std::vector<BFloat16> residual = values(out_width * channels);
    const PackedDepthwise<BFloat16> packed =
        pack_depthwise(packing_, weights.data(), bias.data(), channels, kernel);
    const CpuDepthwiseCall call = {.height = height,
                                   .width = width,
                                   .pixel_stride = channels,
                                   .out_width = out_width,
                                   .stride = stride,
                                   .channels = {0, channels},
                                   .relu = relu,
                                   .out_stride = channels};
    const int64_t y = between(0, (height - 1) / stride);
    std::vector<BFloat16> out(static_cast<size_t>(out_width * channels));
    run_depthwise_row<BFloat16>(kernels_, packed, call, y,
                                [&](int64_t row) { return x.data() + row * width * channels; },
                                {.row = out.data(), .residual = residual.data()});
    for (int64_t column = 0; column < out_width; ++column) {
      for (int64_t c = 0; c < channels; ++c) {
        double sum = bias[static_cast<size_t>(c)];
        double magnitude = std::abs(sum) + 1;
        for (int64_t tap = 0; tap < kernel * kernel; ++tap) {
          const int64_t from_y = y * stride - kernel / 2 + tap / kernel;
          const int64_t from_x = column * stride - kernel / 2 + tap % kernel;
          if (from_y < 0 || from_y >= height || from_x < 0 || from_x >= width) continue;
          const double product =
              static_cast<double>(weights[static_cast<size_t>(c * kernel * kernel + tap)]) *
              widened(x[static_cast<size_t>((from_y * width + from_x) * channels + c)]);
          sum += product;
          magnitude += std::abs(product);
        }
        if (relu) sum = std::max(sum, 0.);
        sum += widened(residual[static_cast<size_t>(column * channels + c)]);
        expect_rounded(out[static_cast<size_t>(column * channels + c)], sum, magnitude);
        ASSERT_FALSE(HasFatalFailure()) << "round " << round;
      }
    }
  }
}

TEST_F(BFloat16Kernels, PixelsAreSummedInFloat32) {
  for (const int64_t channels : {1, 15, 16, 17, 70, 100}) {
    const int64_t pixels = 300;
    const std::vector<BFloat16> x = values(pixels * channels);
    std::vector<float> sums = floats(channels);
    for (const bool add : {false, true}) {
      const std::vector<float> before = sums;
      kernels_.sum_pixels(x.data(), pixels, channels, channels, add, sums.data());
      for (int64_t c = 0; c < channels; ++c) {
        double sum = add ? before[static_cast<size_t>(c)] : 0;
        for (int64_t p = 0; p < pixels; ++p) sum += widened(x[static_cast<size_t>(p * channels + c)]);
        EXPECT_NEAR(sums[static_cast<size_t>(c)], sum, 1e-3);
      }
    }
  }
}

TEST_F(BFloat16Kernels, InputsOfBothFormsAreRounded) {
  const float scale[3] = {0.017f, 0.018f, 0.019f};
  const float shift[3] = {-2.1f, -2.0f, -1.8f};
  for (const int64_t pixels : {1, 5, 15, 16, 17, 32, 33, 101}) {
    std::vector<uint8_t> bytes(static_cast<size_t>(3 * pixels));
    for (size_t index = 0; index < bytes.size(); ++index) bytes[index] = static_cast<uint8_t>(index * 89);
    const BFloat16 untouched{0x1234};
    std::vector<BFloat16> out(bytes.size() + 1, untouched);
    kernels_.normalise_row(bytes.data(), pixels, scale, shift, out.data());
    for (size_t index = 0; index < bytes.size(); ++index) {
      expect_rounded(out[index], static_cast<double>(bytes[index]) * scale[index % 3] + shift[index % 3], 4);
    }
    EXPECT_EQ(out.back(), untouched);

    std::fill(out.begin(), out.end(), untouched);
    const std::vector<float> planes = floats(3 * pixels);
    kernels_.interleave_row(planes.data(), planes.data() + pixels, planes.data() + 2 * pixels, pixels,
                            out.data());
    for (int64_t index = 0; index < 3 * pixels; ++index) {
      const float value = planes[static_cast<size_t>(index % 3 * pixels + index / 3)];
      EXPECT_EQ(out[static_cast<size_t>(index)], nearest(value));
    }
    EXPECT_EQ(out.back(), untouched);
  }
}

}  // namespace
}  // namespace ghostnet::cpu
