#include "model/infer.h"

#include <algorithm>
#include <optional>
#include <set>

#include "base/error.h"
#include "model/bottleneck.h"
#include "model/layers.h"
#include "model/variant.h"

namespace ghostnet {

namespace {

using SeenStages = std::vector<std::vector<SeenBlock>>;

bool fits(const Architecture& architecture, const SeenStages& seen) {
  return std::ranges::equal(architecture.stages, seen, [&](const auto& rows, const auto& blocks) {
    return std::ranges::equal(rows, blocks, [&](const BlockSpec& row, const SeenBlock& block) {
      return block.fits(architecture, row);
    });
  });
}

// Several widths have the same channel counts; the roundest is the most likely.
std::vector<double> candidate_widths(const Generation& generation) {
  std::vector<double> widths = generation.widths;
  for (const int step : {10, 5, 1}) {
    for (int hundredths = step; hundredths <= 400; hundredths += step) widths.push_back(hundredths / 100.0);
  }
  return widths;
}

// An unknown stage table: derive the width from the stem, and undo its scaling row by row.
Architecture custom(int64_t stem, Design design, Form form, const SeenStages& seen) {
  Architecture architecture;
  architecture.design = design;
  architecture.form = form;
  architecture.width = static_cast<double>(stem) / 16.0;
  for (const auto& stage : seen) {
    auto& rows = architecture.stages.emplace_back();
    for (const SeenBlock& block : stage) rows.push_back(block.row(architecture));
  }
  return architecture;
}

Architecture architecture_of(int64_t stem, Design design, Form form, const SeenStages& seen) {
  for (const Generation& generation : generations()) {
    if (generation.design != design || std::ranges::find(generation.forms, form) == generation.forms.end())
      continue;
    for (const double width : candidate_widths(generation)) {
      Architecture architecture = generation.at(width);
      architecture.form = form;
      if (architecture.stem_channels() == stem && fits(architecture, seen)) return architecture;
    }
  }
  return custom(stem, design, form, seen);
}

constexpr size_t kNamed = 5;
constexpr size_t kLongestName = 120;

// A name comes from a file, and may be as long as that.
std::string shown(const std::string& name) {
  if (name.size() <= kLongestName) return name;
  size_t end = kLongestName;
  while (end > 0 && (static_cast<unsigned char>(name[end]) & 0xC0) == 0x80) --end;  // within a character
  return name.substr(0, end) + "...";
}

void append(std::string& report, const char* kind, const std::vector<std::string>& names) {
  if (names.empty()) return;
  if (!report.empty()) report += "; ";
  report += std::to_string(names.size()) + " " + kind + ": ";
  for (size_t i = 0; i < std::min(names.size(), kNamed); ++i) {
    if (i > 0) report += ", ";
    report += shown(names[i]);
  }
  if (names.size() > kNamed) report += ", ...";
}

std::string report_of(const ParameterMismatch& mismatch) {
  std::string report;
  append(report, "missing", mismatch.missing);
  append(report, "of the wrong shape", mismatch.reshaped);
  append(report, "unexpected", mismatch.unexpected);
  return report;
}

Architecture infer(const Shapes& shapes) {
  const int64_t stem = size_in(shapes, "conv_stem.weight", 0, 4);
  const bool has_classifier = shapes.contains("classifier.weight") || shapes.contains("classifier.bias");
  const int64_t classes = has_classifier ? size_in(shapes, "classifier.weight", 0, 2) : 0;
  const Design design = see_design(shapes);
  const Form form = see_form(shapes);
  SeenStages seen;
  size_t rows = 0;
  while (true) {
    std::vector<SeenBlock> stage;
    while (const auto block = see_bottleneck(shapes, design, form, block_name(seen.size(), stage.size()))) {
      if (++rows > kMaxRows) refuse_shapes("more than " + std::to_string(kMaxRows) + " bottlenecks");
      stage.push_back(*block);
    }
    if (stage.empty()) break;
    seen.push_back(std::move(stage));
  }
  if (seen.empty()) refuse_shapes("no " + block_name(0, 0));

  Architecture architecture = architecture_of(stem, design, form, seen);
  architecture.num_classes = classes;
  try {
    validate(architecture);
  } catch (const Error& error) {
    refuse_shapes(error.what() + (": " + error.found()));
  }
  return architecture;
}

struct Comparison {
  Architecture architecture;
  ParameterMismatch mismatch;

  size_t differences() const {
    return mismatch.missing.size() + mismatch.reshaped.size() + mismatch.unexpected.size();
  }
};

// The channels of the stem, from whichever of its arrays there is.
std::optional<int64_t> seen_stem(const Shapes& shapes) {
  for (const char* name : {"conv_stem.weight", "bn1.weight", "bn1.bias", "bn1.running_mean"}) {
    const auto found = shapes.find(name);
    if (found != shapes.end() && !found->second.empty()) return found->second[0];
  }
  return std::nullopt;
}

// The published widths, and those that the stem of a network of this design and form can have.
std::vector<double> widths_to_compare(const Generation& generation, Form form, const Shapes& shapes) {
  std::vector<double> widths = generation.widths;
  const std::optional<int64_t> stem = seen_stem(shapes);
  if (!stem || generation.design != see_design(shapes) || form != see_form(shapes)) return widths;
  for (const double width : candidate_widths(generation)) {
    if (generation.at(width).stem_channels() == *stem) widths.push_back(width);
  }
  return widths;
}

// The network of the family that fits best. It shows what the arrays were meant to be.
Comparison nearest_variant(const Shapes& shapes) {
  Comparison nearest;
  const auto classifier = shapes.find("classifier.bias");
  const auto compare = [&](Architecture architecture) {
    if (classifier != shapes.end() && classifier->second.size() == 1)
      architecture.num_classes = std::clamp<int64_t>(classifier->second[0], 1, 1 << 22);
    Comparison comparison{architecture, compare_parameters(architecture, shapes)};
    const bool is_first = nearest.architecture.stages.empty();
    if (is_first || comparison.differences() < nearest.differences()) nearest = std::move(comparison);
  };
  for (const Generation& generation : generations()) {
    for (const Form form : generation.forms) {
      for (const double width : widths_to_compare(generation, form, shapes)) {
        Architecture architecture = generation.at(width);
        architecture.form = form;
        compare(std::move(architecture));
      }
    }
  }
  return nearest;
}

}  // namespace

Architecture infer_architecture(const Shapes& shapes) {
  Comparison inferred;
  try {
    inferred.architecture = infer(shapes);
  } catch (const Error& error) {
    const Comparison nearest = nearest_variant(shapes);
    throw Error(
        error.code(), error.what(),
        error.found() + "; beside " + variant_name(nearest.architecture) + ": " + report_of(nearest.mismatch),
        error.expected());
  }
  inferred.mismatch = compare_parameters(inferred.architecture, shapes);
  if (inferred.mismatch.empty()) return inferred.architecture;
  // Where an array is missing, the inference takes what follows for another network.
  const Comparison nearest = nearest_variant(shapes);
  return nearest.differences() < inferred.differences() ? nearest.architecture : inferred.architecture;
}

ParameterMismatch compare_parameters(const Architecture& architecture, const Shapes& shapes) {
  ParameterMismatch mismatch;
  std::set<std::string> known;
  const int64_t side = least_side(architecture);
  for (const Layer& layer : describe_layers(architecture, side, side)) {
    for (const ParameterSpec& parameter : layer.parameters) {
      known.insert(parameter.name);
      const auto found = shapes.find(parameter.name);
      if (found == shapes.end()) {
        if (!parameter.name.ends_with(".num_batches_tracked")) mismatch.missing.push_back(parameter.name);
      } else if (found->second != parameter.shape) {
        mismatch.reshaped.push_back(parameter.name + " is " + text_of(found->second) + ", expected " +
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
  throw Error(ErrorCode::GHOSTNET_PARAMETERS_MISMATCH,
              "The arrays are not the parameters of " + variant_name(architecture) + " with " +
                  std::to_string(architecture.num_classes) + " classes",
              report_of(mismatch));
}

}  // namespace ghostnet
