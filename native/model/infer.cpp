#include "model/infer.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

#include "model/error.h"
#include "model/layers.h"

namespace ghostnet {

namespace {

[[noreturn]] void not_a_ghostnet(const std::string& found) {
  throw Error(ErrorCode::GHOSTNET_PARAMETERS_MISMATCH, "The arrays are not the parameters of a GhostNet",
              found, "the official keys: conv_stem.weight, bn1.*, blocks.*, conv_head.*, classifier.*");
}

class Reader {
 public:
  explicit Reader(const Shapes& shapes) : shapes_(shapes) {}

  bool has(const std::string& name) const { return shapes_.contains(name); }

  int64_t dim(const std::string& name, size_t axis, size_t rank) const {
    const auto found = shapes_.find(name);
    if (found == shapes_.end()) not_a_ghostnet("no " + name);
    if (found->second.size() != rank || found->second[axis] < 1) {
      not_a_ghostnet(name + " with " + std::to_string(found->second.size()) + " dimensions or an empty one");
    }
    return found->second[axis];
  }

 private:
  const Shapes& shapes_;
};

/** A bottleneck as its shapes show it, channels as they are, not divided by a width. */
struct SeenBlock {
  int64_t middle, out;
  std::optional<int64_t> kernel;   // nothing where no shape depends on it
  std::optional<int64_t> reduced;  // channels of squeeze-and-excitation
  int64_t stride;
};

SeenBlock see_block(const Reader& reader, const std::string& name) {
  SeenBlock seen{};
  seen.middle = reader.dim(name + ".ghost2.primary_conv.0.weight", 1, 4);
  seen.out = reader.dim(name + ".ghost2.primary_conv.0.weight", 0, 4) +
             reader.dim(name + ".ghost2.cheap_operation.0.weight", 0, 4);
  seen.stride = reader.has(name + ".conv_dw.weight") ? 2 : 1;
  for (const char* key : {".conv_dw.weight", ".shortcut.0.weight"}) {
    if (reader.has(name + key)) seen.kernel = reader.dim(name + key, 2, 4);
  }
  if (reader.has(name + ".se.conv_reduce.weight"))
    seen.reduced = reader.dim(name + ".se.conv_reduce.weight", 0, 4);
  return seen;
}

int64_t reduced_channels(int64_t channels, double ratio) {
  return make_divisible(static_cast<double>(channels) * ratio, 4);
}

bool fits(const Architecture& architecture, const std::vector<std::vector<SeenBlock>>& seen) {
  if (architecture.stages.size() != seen.size()) return false;
  for (size_t stage = 0; stage < seen.size(); ++stage) {
    if (architecture.stages[stage].size() != seen[stage].size()) return false;
    for (size_t row = 0; row < seen[stage].size(); ++row) {
      const BlockSpec& block = architecture.stages[stage][row];
      const SeenBlock& shapes = seen[stage][row];
      const int64_t middle = architecture.scaled(block.expansion);
      std::optional<int64_t> reduced;
      if (block.se_ratio > 0) reduced = reduced_channels(middle, block.se_ratio);
      if (middle != shapes.middle || architecture.scaled(block.out) != shapes.out ||
          block.stride != shapes.stride || block.kernel != shapes.kernel.value_or(block.kernel) ||
          reduced != shapes.reduced) {
        return false;
      }
    }
  }
  return true;
}

// Several widths give the same channel counts; the roundest of them is what people mean.
std::vector<double> candidate_widths() {
  std::vector<double> widths;
  for (const Variant& variant : variants()) widths.push_back(variant.width);
  for (const int step : {10, 5, 1}) {
    for (int hundredths = step; hundredths <= 400; hundredths += step) widths.push_back(hundredths / 100.0);
  }
  return widths;
}

double se_ratio_of(const SeenBlock& block) {
  if (!block.reduced) return 0;
  if (reduced_channels(block.middle, 0.25) == *block.reduced) return 0.25;
  return static_cast<double>(*block.reduced) / static_cast<double>(block.middle);
}

// A table nobody has named: take the width that the stem shows, and undo its scaling row by row.
Architecture custom(int64_t stem, const std::vector<std::vector<SeenBlock>>& seen) {
  Architecture architecture;
  architecture.width = static_cast<double>(stem) / 16.0;
  const auto unscaled = [&](int64_t channels) {
    return std::llround(static_cast<double>(channels) / architecture.width);
  };
  for (const auto& stage : seen) {
    auto& rows = architecture.stages.emplace_back();
    for (const SeenBlock& block : stage) {
      rows.push_back({block.kernel.value_or(3), unscaled(block.middle), unscaled(block.out),
                      se_ratio_of(block), block.stride});
    }
  }
  return architecture;
}

}  // namespace

Architecture infer_architecture(const Shapes& shapes) {
  const Reader reader(shapes);
  const int64_t stem = reader.dim("conv_stem.weight", 0, 4);
  const int64_t classes = reader.dim("classifier.weight", 0, 2);
  std::vector<std::vector<SeenBlock>> seen;
  while (true) {
    std::vector<SeenBlock> stage;
    while (true) {
      const std::string name = "blocks." + std::to_string(seen.size()) + "." + std::to_string(stage.size());
      if (!reader.has(name + ".ghost1.primary_conv.0.weight")) break;
      stage.push_back(see_block(reader, name));
    }
    if (stage.empty()) break;
    seen.push_back(std::move(stage));
  }
  if (seen.empty()) not_a_ghostnet("no blocks.0.0.ghost1.primary_conv.0.weight");

  Architecture architecture;
  architecture.stages = ghostnet_v1_stages();
  for (const double width : candidate_widths()) {
    architecture.width = width;
    if (architecture.stem_channels() == stem && fits(architecture, seen)) {
      architecture.num_classes = classes;
      return architecture;
    }
  }
  architecture = custom(stem, seen);
  architecture.num_classes = classes;
  return architecture;
}

namespace {

constexpr size_t kNamed = 4;

void append(std::string& report, const char* kind, const std::vector<std::string>& names) {
  if (names.empty()) return;
  if (!report.empty()) report += "; ";
  report += std::to_string(names.size()) + " " + kind + ": ";
  for (size_t i = 0; i < std::min(names.size(), kNamed); ++i) {
    if (i > 0) report += ", ";
    report += names[i];
  }
  if (names.size() > kNamed) report += ", ...";
}

}  // namespace

ParameterMismatch compare_parameters(const Architecture& architecture, const Shapes& shapes) {
  ParameterMismatch mismatch;
  std::set<std::string> known;
  for (const Layer& layer : describe_layers(architecture, kMinInputSide, kMinInputSide)) {
    for (const ParameterSpec& parameter : layer.parameters) {
      known.insert(parameter.name);
      const auto found = shapes.find(parameter.name);
      if (found == shapes.end()) {
        if (!parameter.name.ends_with(".num_batches_tracked")) mismatch.missing.push_back(parameter.name);
      } else if (found->second != parameter.shape) {
        mismatch.reshaped.push_back(parameter.name + " is " + text_of(found->second) + " instead of " +
                                    text_of(parameter.shape));
      }
    }
  }
  for (const auto& [name, shape] : shapes) {
    if (!known.contains(name)) mismatch.unexpected.push_back(name);
  }
  return mismatch;
}

void check_parameters(const Architecture& architecture, const Shapes& shapes) {
  const ParameterMismatch mismatch = compare_parameters(architecture, shapes);
  if (mismatch.empty()) return;
  std::string report;
  append(report, "missing", mismatch.missing);
  append(report, "of another shape", mismatch.reshaped);
  append(report, "unexpected", mismatch.unexpected);
  throw Error(ErrorCode::GHOSTNET_PARAMETERS_MISMATCH,
              "The arrays are not the parameters of " + variant_name(architecture) + " with " +
                  std::to_string(architecture.num_classes) + " classes",
              report);
}

}  // namespace ghostnet
