/**
 * The architecture of a network of the GhostNet family as data: the stage table, the width multiplier, the
 * form of the weights, and the rules that turn them into channel counts.
 *
 * Source: arXiv 1911.11907, table 1 and section 3 (GhostNet); arXiv 2211.12905, section 3 (GhostNetV2);
 * arXiv 2404.11202, section 3 (GhostNetV3); arXiv 2211.06088, section 3 (RepGhost); d-li14/ghostnet.pytorch
 * (the first code).
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
  /** Whether the first ghost module has DFC attention, as in GhostNetV2 and V3. */
  bool attention = false;

  bool operator==(const BlockSpec&) const = default;
};

using StageTable = std::vector<std::vector<BlockSpec>>;

/** Which network the stage table is of. */
enum class Design {
  ghostnet,    ///< GhostNet, GhostNetV2 and V3: intrinsic maps and ghosts are concatenated
  repghost,    ///< RepGhost: they are added, and the last 1x1 convolution is twice as wide
  first_code,  ///< the first code: gates of clamp(x, 0, 1), other shortcuts, a batch normalisation in the
               ///< head
};

/** How the weights of ghost modules and strided convolutions are stored. All forms compute the same function.
 */
enum class Form {
  norms,     ///< one convolution and its batch normalisation: GhostNet and GhostNetV2
  branches,  ///< a sum of convolutions, each with a batch normalisation: GhostNetV3 and RepGhost in training
  deployed,  ///< one convolution with a bias: their branches folded
};

/** "norms", "branches", "deployed" */
const char* name_of(Form form);

/** Everything that determines the layers of a network. */
struct Architecture {
  StageTable stages;
  Design design = Design::ghostnet;
  Form form = Form::norms;
  double width = 1.0;          ///< width multiplier, > 0
  int64_t num_classes = 1000;  ///< rows of the classifier; 0 omits it
  double dropout = 0.2;        ///< before the classifier, only while training; [0, 1)

  /** `channels * width`, made divisible by 4 as in the paper's code. */
  int64_t scaled(int64_t channels) const;
  int64_t stem_channels() const { return scaled(16); }
  /** Channels of the last 1x1 convolution, from the expansion of the last block. */
  int64_t last_channels() const;
  /** Channels within squeeze-and-excitation of so many. @param ratio above 0 */
  int64_t reduced_channels(int64_t channels, double ratio) const;

  bool operator==(const Architecture&) const = default;
};

/** Width of the embedding: the head convolution is not scaled by the width multiplier. */
inline constexpr int64_t kFeatureChannels = 1280;
/** Smallest height and width of an input, in pixels, for any network: GhostNet halves a plane five times. */
inline constexpr int64_t kMinInputSide = 32;
/** The most rows of a stage table: twelve times those of V1. Work and memory grow with them. */
inline constexpr size_t kMaxRows = 200;

/**
 * The nearest multiple of `divisor` that is at least `min_value` and at most 10 % below `value`.
 * @param min_value the divisor itself if not given
 */
int64_t make_divisible(double value, int64_t divisor, std::optional<int64_t> min_value = std::nullopt);

/**
 * Smallest height and width of an input of this network, in pixels: kMinInputSide, or 33 if a plane of 32
 * would leave a single pixel to an attention, which halves it (GhostNetV2 and V3).
 */
int64_t least_side(const Architecture& architecture);

/** How many times the plane was halved before an attention, at most: it needs an input of at least
 * 2^kMostHalvings + 1 pixels. */
inline constexpr int kMostHalvings = 12;

/**
 * @throws Error GHOSTNET_INVALID_ARGUMENT if there are more than kMaxRows rows, or a row or a number is out
 * of range
 */
void validate(const Architecture& architecture);

}  // namespace ghostnet
