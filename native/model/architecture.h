/**
 * The architecture of a GhostNet as data: the stage table, the width multiplier, and the rules that turn them
 * into channel counts.
 *
 * Source: arXiv 1911.11907, table 1 and section 3.
 */
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ghostnet {

/** A row of the stage table. Channel counts are those at width 1; `scaled` applies the width multiplier. */
struct BlockSpec {
  int64_t kernel;  ///< side of the strided depthwise convolution and of the shortcut's depthwise convolution
  int64_t expansion;  ///< channels between the two ghost modules
  int64_t out;        ///< channels out of the bottleneck
  double se_ratio;    ///< squeeze-and-excitation ratio; 0 omits squeeze-and-excitation
  int64_t stride;     ///< 1 or 2

  bool operator==(const BlockSpec&) const = default;
};

using StageTable = std::vector<std::vector<BlockSpec>>;

/** Everything that determines the layers of a network. */
struct Architecture {
  StageTable stages;
  double width = 1.0;          ///< width multiplier, > 0
  int64_t num_classes = 1000;  ///< rows of the classifier, >= 1
  double dropout = 0.2;        ///< before the classifier, only while training; [0, 1)

  /** `channels * width`, made divisible by 4 as in the paper's code. */
  int64_t scaled(int64_t channels) const;
  int64_t stem_channels() const { return scaled(16); }
  /** Channels of the last 1x1 convolution: the scaled expansion of the last block. */
  int64_t last_channels() const;

  bool operator==(const Architecture&) const = default;
};

/** Width of the embedding: the head convolution is not scaled by the width multiplier. */
inline constexpr int64_t kFeatureChannels = 1280;
/** Smallest height and width of an input, in pixels: the network halves a plane five times. */
inline constexpr int64_t kMinInputSide = 32;
/** The most rows of a stage table: twelve times those of V1. Work and memory grow with them. */
inline constexpr size_t kMaxRows = 200;

/**
 * The nearest multiple of `divisor` that is at least `min_value` and at most 10 % below `value`.
 * @param min_value the divisor itself if not given
 */
int64_t make_divisible(double value, int64_t divisor, std::optional<int64_t> min_value = std::nullopt);

/** The stage table of GhostNet V1: 16 bottlenecks in 9 stages. */
const StageTable& ghostnet_v1_stages();

/** A named network: the name that users pass for an architecture. */
struct Variant {
  std::string_view name;
  double width;
};

/** The named variants, narrowest first. */
const std::vector<Variant>& variants();

/**
 * The name of a network with this stage table and width, e.g. "ghostnet_100". Any other width of the same
 * table has a name of the same form; the name of any other stage table is "custom".
 */
std::string variant_name(const Architecture& architecture);

/**
 * The architecture of a variant's name: "ghostnet_" and the width in hundredths, with at least three digits.
 * @return nothing if the name has another form
 */
std::optional<Architecture> find_variant(std::string_view name);

/**
 * @throws Error GHOSTNET_INVALID_ARGUMENT if there are more than kMaxRows rows, or a row or a number is out
 * of range
 */
void validate(const Architecture& architecture);

}  // namespace ghostnet
