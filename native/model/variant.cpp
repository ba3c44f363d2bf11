#include "model/variant.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

namespace ghostnet {

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

const StageTable& ghostnet_v2_stages() {
  static const StageTable stages = [] {
    constexpr size_t kPlain = 2;
    StageTable table = ghostnet_v1_stages();
    for (size_t stage = kPlain; stage < table.size(); ++stage) {
      for (BlockSpec& block : table[stage]) block.attention = true;
    }
    return table;
  }();
  return stages;
}

const StageTable& repghost_stages() {
  static const StageTable stages = [] {
    constexpr int64_t kNarrowest = 184, kWidened = 120;
    StageTable table = ghostnet_v1_stages();
    for (auto& stage : table) {
      for (BlockSpec& block : stage) {
        block.expansion = block.expansion == kNarrowest ? kWidened : block.expansion / 2;
      }
    }
    return table;
  }();
  return stages;
}

const std::vector<Generation>& generations() {
  static const std::vector<Generation> known = {
      {"ghostnet_", ghostnet_v1_stages(), Design::ghostnet, {Form::norms}, {0.5, 1.0, 1.3}},
      {"ghostnetv2_", ghostnet_v2_stages(), Design::ghostnet, {Form::norms}, {1.0, 1.3, 1.6}},
      {"ghostnetv3_",
       ghostnet_v2_stages(),
       Design::ghostnet,
       {Form::branches, Form::deployed},
       {0.5, 1.0, 1.3, 1.6}},
      {"repghostnet_",
       repghost_stages(),
       Design::repghost,
       {Form::branches, Form::deployed},
       {0.5, 0.58, 0.8, 1.0, 1.11, 1.3, 1.5, 2.0}},
      {"ghostnet_first_", ghostnet_v1_stages(), Design::first_code, {Form::norms}, {1.0}},
  };
  return known;
}

Architecture Generation::at(double width) const {
  Architecture architecture;
  architecture.stages = stages;
  architecture.design = design;
  architecture.form = forms.front();
  architecture.width = width;
  return architecture;
}

std::vector<std::string> variant_names() {
  std::vector<std::string> names;
  for (const Generation& generation : generations()) {
    for (const double width : generation.widths) names.push_back(variant_name(generation.at(width)));
  }
  return names;
}

std::string variant_name(const Architecture& architecture) {
  const auto is_of = [&](const Generation& generation) {
    return generation.stages == architecture.stages && generation.design == architecture.design &&
           std::ranges::find(generation.forms, architecture.form) != generation.forms.end();
  };
  const auto found = std::ranges::find_if(generations(), is_of);
  if (found == generations().end()) return "custom";
  const double hundredths = architecture.width * 100;
  const bool whole = std::abs(hundredths - std::round(hundredths)) < 1e-9;
  char number[32];
  if (whole) {
    std::snprintf(number, sizeof number, "%03lld", std::llround(hundredths));
  } else {
    std::snprintf(number, sizeof number, "x%g", architecture.width);
  }
  return std::string(found->prefix) + number;
}

std::optional<Architecture> find_variant(std::string_view name) {
  for (const Generation& generation : generations()) {
    if (!name.starts_with(generation.prefix)) continue;
    const std::string_view digits = name.substr(generation.prefix.size());
    int hundredths = 0;
    const auto [end, status] = std::from_chars(digits.data(), digits.data() + digits.size(), hundredths);
    if (digits.size() < 3 || status != std::errc{} || end != digits.data() + digits.size() ||
        hundredths < 1) {
      continue;  // one prefix begins with another
    }
    return generation.at(hundredths / 100.0);
  }
  return std::nullopt;
}

}  // namespace ghostnet
