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
constexpr const char* kAttention = ".short_conv";
constexpr const char* kCheapOperation = ".cheap_operation";
constexpr const char* kFusionNorm = ".fusion_bn.0";
constexpr const char* kWeight = ".weight";
constexpr int64_t kCheapSize = 3;
constexpr int kBranches = 3;
constexpr int64_t kFirstShortcut = 3;  // of the first code, whatever the kernel of the row
constexpr double kUsualRatio = 0.25;

/** Which branches there are beside the full filters. */
enum class Beside { nothing, scale, skip_and_scale };

/** The branches of the form `branches`, in the order of the modules. See modules/branches.h. */
std::vector<Branch> branches_of(const std::string& prefix, KernelSize kernel, Beside beside) {
  std::vector<Branch> branches;
  const auto add = [&](const std::string& name, KernelSize size) {
    branches.push_back({name + ".conv", name + ".bn1", size});
  };
  if (beside == Beside::skip_and_scale) branches.push_back({"", prefix + "_skip", 1});
  for (int index = 0; index < kBranches; ++index) add(prefix + "_conv." + std::to_string(index), kernel);
  if (beside != Beside::nothing) add(prefix + "_scale", 1);
  return branches;
}

/** Gives a convolution the weights of a form. */
Convolution in_form(Form form, Convolution convolution, const std::vector<Branch>& branches) {
  if (form == Form::norms) return convolution;
  convolution.norm.clear();
  if (form == Form::branches) convolution.branches = branches;
  return convolution;
}

// A module of RepGhost. Its branches are the convolution and the input itself, each with a batch
// normalisation.
size_t added_module(GraphBuilder& builder, const std::string& name, int64_t out, bool relu, size_t x) {
  const std::string primary_name = name + ".primary_conv", cheap_name = name + kCheapOperation;
  Convolution primary = {
      .name = primary_name + ".0", .norm = primary_name + ".1", .in = builder.channels(x), .out = out};
  Convolution cheap = depthwise_convolution(cheap_name, "", out, kCheapSize);
  if (builder.architecture().form == Form::branches) {
    cheap.branches = {{"", name + kFusionNorm, 1}, {cheap_name + ".0", cheap_name + ".1", kCheapSize}};
  }
  if (relu) {
    primary = rectified(primary, primary_name + ".2");
    cheap = rectified(cheap, name + ".relu");
  }
  return builder.separable(x, name, primary, cheap);
}

size_t ghost_module(GraphBuilder& builder, const std::string& name, int64_t out, bool relu, size_t x) {
  if (builder.architecture().design == Design::repghost) return added_module(builder, name, out, relu, x);
  const Form form = builder.architecture().form;
  const int64_t intrinsic = (out + 1) / 2;
  const std::string primary_name = name + ".primary_conv", cheap_name = name + kCheapOperation;
  Convolution primary = in_form(
      form,
      {.name = primary_name + ".0", .norm = primary_name + ".1", .in = builder.channels(x), .out = intrinsic},
      branches_of(name + ".primary_rpr", 1, Beside::nothing));
  Convolution cheap =
      in_form(form, depthwise_convolution(cheap_name + ".0", cheap_name + ".1", intrinsic, kCheapSize),
              branches_of(name + ".cheap_rpr", kCheapSize, Beside::skip_and_scale));
  if (relu) {
    primary = rectified(primary, primary_name + ".2");
    cheap = rectified(cheap, cheap_name + ".2");
  }
  return builder.ghost_module(x, name, primary, cheap, out);
}

// Decoupled fully connected attention, from the input of a ghost module. Source: arXiv 2211.12905,
// section 3.2; GhostModuleV2 of the reference: at half the resolution, and without activations before the
// sigmoid.
size_t attention(GraphBuilder& builder, const std::string& name, int64_t out, size_t x) {
  const std::string path = name + kAttention;
  const auto numbered = [&](int number) { return path + "." + std::to_string(number); };
  size_t y = builder.halve(x, name + ".avg_pool");
  y = builder.pointwise(y, {.name = numbered(0), .norm = numbered(1), .in = builder.channels(x), .out = out});
  y = builder.depthwise(y, depthwise_convolution(numbered(2), numbered(3), out, {1, 5}));
  Convolution last = depthwise_convolution(numbered(4), numbered(5), out, {5, 1});
  last.activation = Activation::sigmoid;
  last.activation_name = name + ".gate_fn";
  return builder.depthwise(y, last);
}

size_t strided(GraphBuilder& builder, const std::string& name, const BlockSpec& block, size_t x) {
  const Convolution plain = depthwise_convolution(name + kStrided, name + ".bn_dw", builder.channels(x),
                                                  block.kernel, block.stride);
  if (builder.architecture().design == Design::repghost) return builder.depthwise(x, plain);
  return builder.depthwise(x, in_form(builder.architecture().form, plain,
                                      branches_of(name + ".dw_rpr", block.kernel, Beside::scale)));
}

size_t shortcut(GraphBuilder& builder, const std::string& name, const BlockSpec& block, int64_t out,
                size_t x) {
  const int64_t in = builder.channels(x);
  const bool is_first = builder.architecture().design == Design::first_code;
  Convolution spatial = depthwise_convolution(name + ".0", name + ".1", in,
                                              is_first ? kFirstShortcut : block.kernel, block.stride);
  if (is_first) spatial = rectified(spatial, name + ".act");
  x = builder.depthwise(x, spatial);
  return builder.pointwise(x, {.name = name + ".2", .norm = name + ".3", .in = in, .out = out});
}

size_t squeeze_excite(GraphBuilder& builder, const std::string& name, double ratio, size_t x) {
  const int64_t all = builder.channels(x);
  const bool clamps = builder.architecture().design == Design::first_code;
  const int64_t reduced = builder.architecture().reduced_channels(all, ratio);
  const size_t means = builder.mean(x, name + kSqueezeExcite + ".avg_pool");
  const size_t squeezed = builder.dense(
      means, rectified({.name = name + kReduce, .in = all, .out = reduced}, name + kSqueezeExcite + ".act1"));
  const size_t gate =
      builder.dense(squeezed, {.name = name + ".se.conv_expand",
                               .in = reduced,
                               .out = all,
                               .activation = clamps ? Activation::clamp : Activation::hard_sigmoid,
                               .activation_name = name + kSqueezeExcite + ".gate"});
  return builder.scale(x, gate, name + kSqueezeExcite);
}

}  // namespace

std::string block_name(size_t stage, size_t row) {
  return "blocks." + std::to_string(stage) + "." + std::to_string(row);
}

size_t add_bottleneck(GraphBuilder& builder, const std::string& name, const BlockSpec& block, size_t x) {
  const int64_t out = builder.architecture().scaled(block.out);
  const int64_t middle = builder.architecture().scaled(block.expansion);
  size_t y = ghost_module(builder, name + kGhost1, middle, true, x);
  if (block.attention)
    y = builder.attend(y, attention(builder, name + kGhost1, middle, x), name + kGhost1 + ".attention");
  if (block.stride > 1) y = strided(builder, name, block, y);
  if (block.se_ratio > 0) y = squeeze_excite(builder, name, block.se_ratio, y);
  y = ghost_module(builder, name + kGhost2, out, false, y);
  if (block.stride > 1 || builder.channels(x) != out) x = shortcut(builder, name + kShortcut, block, out, x);
  return builder.add(y, x, name);
}

Design see_design(const Shapes& shapes) {
  const std::string module = block_name(0, 0) + kGhost1;
  const auto has = [&](const std::string& name) { return shapes.contains(name + kWeight); };
  if (has(kHeadNorm)) return Design::first_code;
  return has(module + kFusionNorm) || has(module + kCheapOperation) ? Design::repghost : Design::ghostnet;
}

Form see_form(const Shapes& shapes) {
  const std::string module = block_name(0, 0) + kGhost1;
  if (shapes.contains(module + kFusionNorm + kWeight)) return Form::branches;
  if (shapes.contains(module + kCheapOperation + kWeight)) return Form::deployed;
  if (shapes.contains(module + ".primary_rpr_conv.0.conv.weight")) return Form::branches;
  return shapes.contains(module + ".primary_conv.0.bias") ? Form::deployed : Form::norms;
}

std::optional<SeenBlock> see_bottleneck(const Shapes& shapes, Design design, Form form,
                                        const std::string& name) {
  const bool branches = design == Design::ghostnet && form == Form::branches;
  const std::string primary = branches ? ".primary_rpr_conv.0.conv.weight" : ".primary_conv.0.weight";
  const std::string cheap = branches ? ".cheap_rpr_conv.0.conv.weight" : ".cheap_operation.0.weight";
  const std::string strided = branches ? ".dw_rpr_conv.0.conv.weight" : std::string(kStrided) + kWeight;
  const auto has = [&](const std::string& part) { return shapes.contains(name + part); };
  const auto size = [&](const std::string& part, size_t axis) {
    return size_in(shapes, name + part, axis, 4);
  };
  if (!has(kGhost1 + primary)) return std::nullopt;
  SeenBlock seen{};
  seen.middle = size(kGhost2 + primary, 1);
  seen.out = size(kGhost2 + primary, 0);
  if (design != Design::repghost) seen.out += size(kGhost2 + cheap, 0);
  seen.stride = has(strided) ? 2 : 1;
  seen.attention = has(std::string(kGhost1) + kAttention + ".0" + kWeight);
  const std::string shortcut = std::string(kShortcut) + ".0" + kWeight;
  if (has(shortcut) && design != Design::first_code) seen.kernel = size(shortcut, 2);
  if (has(strided)) seen.kernel = size(strided, 2);
  if (has(std::string(kReduce) + kWeight)) seen.reduced = size(std::string(kReduce) + kWeight, 0);
  return seen;
}

bool SeenBlock::fits(const Architecture& architecture, const BlockSpec& block) const {
  std::optional<int64_t> expected;
  if (block.se_ratio > 0)
    expected = architecture.reduced_channels(architecture.scaled(block.expansion), block.se_ratio);
  return architecture.scaled(block.expansion) == middle && architecture.scaled(block.out) == out &&
         block.stride == stride && block.attention == attention &&
         block.kernel == kernel.value_or(block.kernel) && expected == reduced;
}

BlockSpec SeenBlock::row(const Architecture& architecture) const {
  const auto unscaled = [&](int64_t channels) {
    return std::llround(static_cast<double>(channels) / architecture.width);
  };
  double ratio = 0;
  if (reduced) {
    const bool is_usual = architecture.reduced_channels(middle, kUsualRatio) == *reduced;
    ratio = is_usual ? kUsualRatio : static_cast<double>(*reduced) / static_cast<double>(middle);
  }
  return {kernel.value_or(3), unscaled(middle), unscaled(out), ratio, stride, attention};
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
