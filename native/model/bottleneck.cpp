#include "model/bottleneck.h"

#include <cmath>

#include "base/error.h"

namespace ghostnet {

namespace {

constexpr const char* kGhost1 = ".ghost1";
constexpr const char* kGhost2 = ".ghost2";
constexpr const char* kStrided = ".conv_dw";
constexpr const char* kSqueezeExcite = ".se";
constexpr const char* kReduce = ".se.conv_reduce";
constexpr const char* kShortcut = ".shortcut";
constexpr const char* kWeight = ".weight";
constexpr double kUsualRatio = 0.25;

int64_t reduced_channels(int64_t channels, double ratio) {
  return make_divisible(static_cast<double>(channels) * ratio, 4);
}

size_t squeeze_excite(GraphBuilder& builder, const std::string& name, double ratio, size_t x) {
  const int64_t all = builder.channels(x);
  const int64_t reduced = reduced_channels(all, ratio);
  const size_t means = builder.mean(x, name + kSqueezeExcite + ".avg_pool");
  const size_t squeezed = builder.dense(
      means, rectified({.name = name + kReduce, .in = all, .out = reduced}, name + kSqueezeExcite + ".act1"));
  const size_t gate = builder.dense(squeezed, {.name = name + ".se.conv_expand",
                                               .in = reduced,
                                               .out = all,
                                               .activation = Activation::hard_sigmoid,
                                               .activation_name = name + kSqueezeExcite + ".gate"});
  return builder.scale(x, gate, name + kSqueezeExcite);
}

}  // namespace

std::string block_name(size_t stage, size_t row) {
  return "blocks." + std::to_string(stage) + "." + std::to_string(row);
}

size_t add_bottleneck(GraphBuilder& builder, const std::string& name, const BlockSpec& block, size_t x) {
  const int64_t out = builder.architecture().scaled(block.out);
  size_t y = builder.ghost_module(x, name + kGhost1, builder.architecture().scaled(block.expansion), true);
  if (block.stride > 1)
    y = builder.depthwise(y, name + kStrided, name + ".bn_dw", block.kernel, block.stride);
  if (block.se_ratio > 0) y = squeeze_excite(builder, name, block.se_ratio, y);
  y = builder.ghost_module(y, name + kGhost2, out, false);
  if (block.stride > 1 || builder.channels(x) != out) {
    const std::string shortcut = name + kShortcut;
    const int64_t in = builder.channels(x);
    x = builder.depthwise(x, shortcut + ".0", shortcut + ".1", block.kernel, block.stride);
    x = builder.pointwise(x, {.name = shortcut + ".2", .norm = shortcut + ".3", .in = in, .out = out});
  }
  return builder.add(y, x, name);
}

std::optional<SeenBlock> see_bottleneck(const Shapes& shapes, const std::string& name) {
  const std::string primary = ".primary_conv.0.weight", cheap = ".cheap_operation.0.weight";
  const auto has = [&](const std::string& part) { return shapes.contains(name + part); };
  const auto size = [&](const std::string& part, size_t axis) {
    return size_in(shapes, name + part, axis, 4);
  };
  if (!has(kGhost1 + primary)) return std::nullopt;
  SeenBlock seen{};
  seen.middle = size(kGhost2 + primary, 1);
  seen.out = size(kGhost2 + primary, 0) + size(kGhost2 + cheap, 0);
  seen.stride = has(std::string(kStrided) + kWeight) ? 2 : 1;
  for (const std::string& part : {std::string(kStrided), std::string(kShortcut) + ".0"}) {
    if (has(part + kWeight)) seen.kernel = size(part + kWeight, 2);
  }
  if (has(std::string(kReduce) + kWeight)) seen.reduced = size(std::string(kReduce) + kWeight, 0);
  return seen;
}

bool SeenBlock::fits(const Architecture& architecture, const BlockSpec& block) const {
  std::optional<int64_t> expected;
  if (block.se_ratio > 0) expected = reduced_channels(architecture.scaled(block.expansion), block.se_ratio);
  return architecture.scaled(block.expansion) == middle && architecture.scaled(block.out) == out &&
         block.stride == stride && block.kernel == kernel.value_or(block.kernel) && expected == reduced;
}

BlockSpec SeenBlock::row(double width) const {
  const auto unscaled = [&](int64_t channels) { return std::llround(static_cast<double>(channels) / width); };
  double ratio = 0;
  if (reduced) {
    const bool is_usual = reduced_channels(middle, kUsualRatio) == *reduced;
    ratio = is_usual ? kUsualRatio : static_cast<double>(*reduced) / static_cast<double>(middle);
  }
  return {kernel.value_or(3), unscaled(middle), unscaled(out), ratio, stride};
}

int64_t size_in(const Shapes& shapes, const std::string& name, size_t axis, size_t rank) {
  const auto found = shapes.find(name);
  if (found == shapes.end()) refuse_shapes("no " + name);
  if (found->second.size() != rank || found->second[axis] < 1) {
    refuse_shapes(name + " with " + std::to_string(found->second.size()) +
                  " dimensions, or with an empty dimension");
  }
  return found->second[axis];
}

void refuse_shapes(const std::string& found) {
  throw Error(
      ErrorCode::GHOSTNET_PARAMETERS_MISMATCH, "The arrays are not the parameters of a GhostNet", found,
      "the keys of the official checkpoints: conv_stem.weight, bn1.*, blocks.*, conv_head.*, classifier.*");
}

}  // namespace ghostnet
