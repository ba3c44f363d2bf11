/**
 * Packs weights for the kernels of a precision and capability.
 */
#pragma once

#include <algorithm>

#include "kernels/cpu/packed_weights.h"

namespace ghostnet::cpu {

/** The kernels to pack weights for, and the memory for the packed weights. */
template <typename Value>
struct Packing {
  const KernelsOn<Value>& kernels;
  ArrayPool& pool;
};

/** The panels for this number of columns, with offsets for `rows` rows per column. */
std::vector<Panel> lay_out_panels(int64_t columns, int64_t rows, int64_t lanes, int64_t half_lanes);

/**
 * @param weights [columns][segments*depth]
 * @param bias [columns]
 */
template <typename Value>
PackedProduct<Value> pack_product(const Packing<Value>& packing, const float* weights, const float* bias,
                                  int64_t columns, int64_t depth, int64_t segments = 1) {
  constexpr int64_t kTogether = Layout<Value>::kTogether;
  const int64_t padded_depth = round_up(depth, kTogether);
  PackedProduct<Value> packed;
  packed.segments = segments;
  packed.depth = depth;
  packed.columns = columns;
  packed.panels =
      lay_out_panels(columns, segments * padded_depth, packing.kernels.lanes, packing.kernels.half_lanes);
  const Panel& last = packed.panels.back();
  packed.weights = packing.pool.template take<Value>(last.offset + segments * padded_depth * last.width);
  packed.bias = packing.pool.template take<float>(round_up(columns, packing.kernels.lanes));
  std::copy_n(bias, columns, packed.bias.data());
  for (const Panel& panel : packed.panels) {
    Value* to = packed.weights.data() + panel.offset;
    for (int64_t segment = 0; segment < segments; ++segment, to += padded_depth * panel.width) {
      for (int64_t k = 0; k < depth; ++k) {
        Value* const row = to + k / kTogether * kTogether * panel.width + k % kTogether;
        const float* const from = weights + (panel.column * segments + segment) * depth + k;
        for (int64_t j = 0; j < panel.columns; ++j) {
          row[j * kTogether] = Layout<Value>::stored(from[j * segments * depth]);
        }
      }
    }
  }
  return packed;
}

/** @param weights [columns][depth] */
PackedRows pack_rows(const Packing<float>& packing, const float* weights, const float* bias, int64_t columns,
                     int64_t depth);

/** @param weights [channels][taps] */
template <typename Value>
PackedDepthwise<Value> pack_depthwise(const Packing<Value>& packing, const float* weights, const float* bias,
                                      int64_t channels, KernelSize kernel) {
  const int64_t lanes = packing.kernels.lanes;
  const int64_t taps = kernel.taps();
  PackedDepthwise<Value> packed;
  packed.channels = channels;
  packed.kernel = kernel;
  packed.weights = packing.pool.template take<float>(round_up(channels, lanes) * (1 + taps));
  for (int64_t channel = 0; channel < channels; ++channel) {
    const int64_t lane = channel % lanes;
    // The last channels keep their order if they are half a vector.
    const bool in_half = channels - (channel - lane) <= packing.kernels.half_lanes;
    float* const block = packed.weights.data() + (channel - lane) * (1 + taps) +
                         (in_half ? lane : Layout<Value>::tap_lane(lane, lanes));
    block[0] = bias[channel];
    for (int64_t tap = 0; tap < taps; ++tap) block[(1 + tap) * lanes] = weights[channel * taps + tap];
  }
  return packed;
}

}  // namespace ghostnet::cpu
