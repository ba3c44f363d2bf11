#include "ops/cpu/bfloat16_packing.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace ghostnet::cpu {

namespace {

// To nearest even.
BFloat16 rounded(float value) {
  if (std::isnan(value)) return BFloat16{0x7fc0};
  const auto bits = std::bit_cast<uint32_t>(value);
  return BFloat16{static_cast<uint16_t>((bits + 0x7fff + (bits >> 16 & 1)) >> 16)};
}

}  // namespace

PackedProduct in_bfloat16(const Packing& packing, const PackedProduct& product) {
  const int64_t depth = product.depth;
  const int64_t even_depth = round_up(depth, 2);
  PackedProduct packed;
  packed.segments = product.segments;
  packed.depth = depth;
  packed.columns = product.columns;
  packed.panels = product.panels;
  packed.bias = packing.floats(round_up(product.columns, packing.kernels.lanes));
  std::copy_n(product.bias.data(), product.columns, packed.bias.data());
  int64_t width = 0;
  for (const auto& panel : product.panels) width += panel.width;
  // A float32 holds a pair.
  packed.weights = packing.floats(product.segments * even_depth / 2 * width);
  auto* const weights = reinterpret_cast<BFloat16*>(packed.weights.data());
  for (auto& panel : packed.panels) {
    const float* from = product.weights.data() + panel.offset;
    panel.offset = product.segments * even_depth * panel.column;
    for (int64_t segment = 0; segment < product.segments; ++segment) {
      BFloat16* const to = weights + panel.offset + segment * even_depth * panel.width;
      for (int64_t k = 0; k < depth; ++k, from += panel.width) {
        for (int64_t j = 0; j < panel.width; ++j) {
          to[(k / 2 * panel.width + j) * 2 + k % 2] = rounded(from[j]);
        }
      }
    }
  }
  return packed;
}

PackedDepthwise in_bfloat16(const Packing& packing, const PackedDepthwise& weights) {
  const int64_t lanes = packing.kernels.lanes;
  const int64_t rows = 1 + weights.kernel * weights.kernel;
  PackedDepthwise packed;
  packed.channels = weights.channels;
  packed.kernel = weights.kernel;
  packed.weights = packing.floats(round_up(weights.channels, lanes) * rows);
  for (int64_t channel = 0; channel < weights.channels; ++channel) {
    const int64_t lane = channel % lanes;
    // The last channels stay in their order where they are half a vector.
    const bool in_half = weights.channels - (channel - lane) <= packing.kernels.half_lanes;
    const int64_t place = in_half ? lane : lane % 2 * lanes / 2 + lane / 2;
    const int64_t block = (channel - lane) * rows;
    for (int64_t row = 0; row < rows; ++row) {
      packed.weights.data()[block + row * lanes + place] = weights.weights.data()[block + row * lanes + lane];
    }
  }
  return packed;
}

}  // namespace ghostnet::cpu
