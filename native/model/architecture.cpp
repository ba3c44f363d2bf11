#include "model/architecture.h"

#include <algorithm>
#include <charconv>
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

int64_t Architecture::scaled(int64_t channels) const {
  return make_divisible(static_cast<double>(channels) * width, 4);
}

int64_t Architecture::last_channels() const { return scaled(stages.back().back().expansion); }

const StageTable& ghostnet_v1_stages() {
  // kernel, expansion, out, squeeze-and-excitation ratio, stride
  static const StageTable stages = {
      {{3, 16, 16, 0, 1}},
      {{3, 48, 24, 0, 2}},
      {{3, 72, 24, 0, 1}},
      {{5, 72, 40, 0.25, 2}},
      {{5, 120, 40, 0.25, 1}},
      {{3, 240, 80, 0, 2}},
      {{3, 200, 80, 0, 1},
       {3, 184, 80, 0, 1},
       {3, 184, 80, 0, 1},
       {3, 480, 112, 0.25, 1},
       {3, 672, 112, 0.25, 1}},
      {{5, 672, 160, 0.25, 2}},
      {{5, 960, 160, 0, 1}, {5, 960, 160, 0.25, 1}, {5, 960, 160, 0, 1}, {5, 960, 160, 0.25, 1}},
  };
  return stages;
}

const std::vector<Variant>& variants() {
  static const std::vector<Variant> named = {
      {"ghostnet_050", 0.5}, {"ghostnet_100", 1.0}, {"ghostnet_130", 1.3}};
  return named;
}

std::string variant_name(const Architecture& architecture) {
  if (architecture.stages != ghostnet_v1_stages()) return "custom";
  const double hundredths = architecture.width * 100;
  const bool whole = std::abs(hundredths - std::round(hundredths)) < 1e-9;
  char name[48];
  if (whole) {
    std::snprintf(name, sizeof name, "ghostnet_%03lld", std::llround(hundredths));
  } else {
    std::snprintf(name, sizeof name, "ghostnet_v1_x%g", architecture.width);
  }
  return name;
}

std::optional<Architecture> find_variant(std::string_view name) {
  constexpr std::string_view prefix = "ghostnet_";
  if (!name.starts_with(prefix)) return std::nullopt;
  const std::string_view digits = name.substr(prefix.size());
  int hundredths = 0;
  const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), hundredths);
  if (digits.size() < 3 || status != std::errc{} || end != digits.data() + digits.size() || hundredths < 1) {
    return std::nullopt;
  }
  Architecture architecture;
  architecture.stages = ghostnet_v1_stages();
  architecture.width = hundredths / 100.0;
  return architecture;
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
  require(architecture.num_classes >= 1 && architecture.num_classes <= max_classes,
          "The number of classes is out of range", std::to_string(architecture.num_classes),
          "a whole number from 1 to " + std::to_string(max_classes));
  require(architecture.dropout >= 0 && architecture.dropout < 1, "The dropout is out of range",
          text(architecture.dropout), "a number of at least 0 and less than 1");
  require(!architecture.stages.empty(), "The stage table is empty", "no stage",
          "at least one stage with at least one row");
  size_t rows = 0;
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
    }
  }
}

}  // namespace ghostnet
