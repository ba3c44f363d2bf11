#include "model/architecture.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "base/error.h"

namespace ghostnet {

int64_t make_divisible(double value, int64_t divisor, std::optional<int64_t> min_value) {
  const auto rounded = static_cast<int64_t>(value + static_cast<double>(divisor) / 2) / divisor * divisor;
  int64_t result = std::max(min_value.value_or(divisor), rounded);
  if (static_cast<double>(result) < 0.9 * value) result += divisor;
  return result;
}

const char* name_of(Form form) {
  switch (form) {
    case Form::norms:
      return "norms";
    case Form::branches:
      return "branches";
    case Form::deployed:
      break;
  }
  return "deployed";
}

int64_t Architecture::scaled(int64_t channels) const {
  return make_divisible(static_cast<double>(channels) * width, 4);
}

int64_t Architecture::last_channels() const {
  return scaled((design == Design::repghost ? 2 : 1) * stages.back().back().expansion);
}

int64_t Architecture::reduced_channels(int64_t channels, double ratio) const {
  const double exact = static_cast<double>(channels) * ratio;
  if (design == Design::first_code) return std::max(static_cast<int64_t>(exact), int64_t{1});
  return make_divisible(exact, 4);
}

int64_t least_side(const Architecture& architecture) {
  int halvings = 1;  // by the stem
  int64_t least = kMinInputSide;
  for (const auto& stage : architecture.stages) {
    for (const BlockSpec& block : stage) {
      // A side is rounded up when it is halved: this one is still 2 where the attention halves it once more.
      if (block.attention) least = std::max(least, (int64_t{1} << std::min(halvings, kMostHalvings)) + 1);
      if (block.stride == 2) ++halvings;
    }
  }
  return least;
}

namespace {

void require(bool condition, const std::string& what, const std::string& found, const std::string& expected) {
  if (!condition) throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, what, found, expected);
}

std::string text(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%g", value);
  return buffer;
}

}  // namespace

void validate(const Architecture& architecture) {
  // The limits keep a mistyped table from requesting terabytes; the widest published network has 1,248
  // channels.
  constexpr int64_t max_channels = 1 << 16;
  constexpr int64_t max_classes = 1 << 22;
  require(architecture.width > 0 && architecture.width <= 64, "The width multiplier is out of range",
          text(architecture.width), "a number above 0 and at most 64");
  require(architecture.num_classes >= 0 && architecture.num_classes <= max_classes,
          "The number of classes is out of range", std::to_string(architecture.num_classes),
          "a whole number from 0 (no classifier) to " + std::to_string(max_classes));
  require(architecture.dropout >= 0 && architecture.dropout < 1, "The dropout is out of range",
          text(architecture.dropout), "a number of at least 0 and less than 1");
  const Design design = architecture.design;
  require(design != Design::repghost || architecture.form != Form::norms, "A RepGhost has no such weights",
          name_of(architecture.form), "branches or deployed");
  require(design != Design::first_code || architecture.form == Form::norms,
          "The first code of GhostNet has no such weights", name_of(architecture.form), "norms");
  require(!architecture.stages.empty(), "The stage table is empty", "no stage",
          "at least one stage with at least one row");
  size_t rows = 0;
  int halvings = 1;
  for (const auto& stage : architecture.stages) rows += stage.size();
  require(rows <= kMaxRows, "The stage table has too many rows", std::to_string(rows) + " rows",
          "at most " + std::to_string(kMaxRows));
  const std::string channels =
      "a whole number of at least 1, and at most " + std::to_string(max_channels) + " after scaling";
  for (size_t stage = 0; stage < architecture.stages.size(); ++stage) {
    const auto in_stage = [&](const std::string& value) {
      std::string found = value;
      return found.append(" in stage ").append(std::to_string(stage));
    };
    require(!architecture.stages[stage].empty(), "The stage table has an empty stage", in_stage("no row"),
            "at least one row per stage");
    for (const BlockSpec& block : architecture.stages[stage]) {
      require(block.kernel >= 1 && block.kernel <= 31 && block.kernel % 2 == 1, "A kernel size is invalid",
              in_stage(std::to_string(block.kernel)), "an odd number from 1 to 31");
      require(block.expansion >= 1 && architecture.scaled(block.expansion) <= max_channels,
              "An expansion is out of range", in_stage(std::to_string(block.expansion)), channels);
      require(block.out >= 1 && architecture.scaled(block.out) <= max_channels,
              "The number of output channels is out of range", in_stage(std::to_string(block.out)), channels);
      require(block.se_ratio >= 0 && block.se_ratio <= 1, "A squeeze-and-excitation ratio is out of range",
              in_stage(text(block.se_ratio)), "a number from 0 (none) to 1");
      require(block.stride == 1 || block.stride == 2, "A stride is out of range",
              in_stage(std::to_string(block.stride)), "1 or 2");
      require(!block.attention || halvings <= kMostHalvings, "An attention is too deep in the network",
              in_stage(std::to_string(halvings) + " halvings of the input before it"),
              "at most " + std::to_string(kMostHalvings));
      require(!block.attention || design == Design::ghostnet, "This network has no attention",
              in_stage("attention"), "rows without attention");
      if (block.stride == 2) ++halvings;
    }
  }
}

}  // namespace ghostnet
