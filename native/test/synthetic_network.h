#pragma once

#include <cmath>
#include <random>
#include <string>
#include <vector>

#include "engine/packed_network.h"
#include "test/engine_kind.h"

namespace ghostnet {

/** A packed network of random weights, made without LibTorch: for tests under ThreadSanitizer, which LibTorch
 * is not built for. */
class SyntheticNetwork {
 public:
  SyntheticNetwork(const Architecture& architecture, const EngineKind& kind)
      : architecture_(architecture),
        precision_(kind.precision),
        packing_{cpu::kernels_of(kind.capability), &pool_, kind.precision == Precision::bfloat16} {}

  PackedNetwork make() {
    PackedNetwork network;
    network.precision = precision_;
    int64_t channels = architecture_.stem_channels();
    network.stem = product(channels, 9, 3);
    for (const auto& stage : architecture_.stages) {
      for (const BlockSpec& row : stage) {
        network.blocks.push_back(bottleneck(row, channels));
        channels = architecture_.scaled(row.out);
      }
    }
    network.last = product(architecture_.last_channels(), channels);
    network.head = rows(kFeatureChannels, architecture_.last_channels());
    network.classifier = rows(architecture_.num_classes, kFeatureChannels);
    return network;
  }

 private:
  std::vector<float> values(int64_t count, int64_t fan_in) {
    std::normal_distribution<float> normal(0, 1 / std::sqrt(static_cast<float>(fan_in)));
    std::vector<float> drawn(static_cast<size_t>(count));
    for (float& value : drawn) value = normal(random_);
    return drawn;
  }

  cpu::PackedProduct product(int64_t columns, int64_t depth, int64_t segments = 1) {
    return cpu::pack_product(packing_, values(columns * depth * segments, depth * segments).data(),
                             values(columns, 4).data(), columns, depth, segments);
  }

  cpu::PackedRows rows(int64_t columns, int64_t depth) {
    return cpu::pack_rows(packing_, values(columns * depth, depth).data(), values(columns, 4).data(), columns,
                          depth);
  }

  cpu::PackedDepthwise depthwise(int64_t channels, int64_t kernel) {
    return cpu::pack_depthwise(packing_, values(channels * kernel * kernel, kernel * kernel).data(),
                               values(channels, 4).data(), channels, kernel);
  }

  cpu::PackedGhostModule ghost_module(int64_t in, int64_t out, bool relu) {
    const int64_t intrinsic = (out + 1) / 2;
    return {product(intrinsic, in), depthwise(out - intrinsic, 3), relu};
  }

  PackedBottleneck bottleneck(const BlockSpec& row, int64_t in) {
    const int64_t middle = architecture_.scaled(row.expansion);
    const int64_t out = architecture_.scaled(row.out);
    PackedBottleneck block;
    block.name = "block " + std::to_string(number_++);
    block.stride = row.stride;
    block.ghost1 = ghost_module(in, middle, true);
    block.ghost2 = ghost_module(middle, out, false);
    if (row.stride > 1) block.strided = depthwise(middle, row.kernel);
    if (row.se_ratio > 0) {
      const int64_t reduced = make_divisible(static_cast<double>(middle) * row.se_ratio, 4);
      block.squeeze_excite = {rows(reduced, middle), rows(middle, reduced)};
    }
    if (row.stride > 1 || in != out) block.shortcut = {depthwise(in, row.kernel), product(out, in)};
    return block;
  }

  Architecture architecture_;
  Precision precision_;
  cpu::FloatPool pool_;
  cpu::Packing packing_;
  int number_ = 0;
  std::mt19937 random_{1};
};

}  // namespace ghostnet
