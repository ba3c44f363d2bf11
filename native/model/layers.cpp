#include "model/layers.h"

#include <functional>
#include <numeric>

namespace ghostnet {

namespace {

int64_t product(const std::vector<int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), int64_t{1}, std::multiplies<>());
}

/** Follows one image through the network and writes down each layer it meets. */
class Walk {
 public:
  Walk(int64_t channels, int64_t height, int64_t width) : plane_{channels, height, width} {}

  using Plane = std::array<int64_t, 3>;
  const Plane& plane() const { return plane_; }
  void rewind(const Plane& plane) { plane_ = plane; }
  int64_t channels() const { return plane_[0]; }

  void conv(const std::string& name, int64_t out, int64_t kernel, int64_t stride = 1, bool depthwise = false,
            bool bias = false) {
    const int64_t in = channels();
    const int64_t groups = depthwise ? in : 1;
    const int64_t padding = kernel / 2;
    const auto side = [&](int64_t length) { return (length + 2 * padding - kernel) / stride + 1; };
    plane_ = {out, side(plane_[1]), side(plane_[2])};
    const std::vector<int64_t> weight = {out, in / groups, kernel, kernel};
    Layer layer = at(name, "Conv2d");
    layer.detail = std::to_string(in) + " -> " + std::to_string(out) + ", " + std::to_string(kernel) + "x" +
                   std::to_string(kernel) + (stride > 1 ? ", stride " + std::to_string(stride) : "") +
                   (depthwise ? ", depthwise" : "");
    layer.parameters = {{name + ".weight", weight, true}};
    if (bias) layer.parameters.push_back({name + ".bias", {out}, true});
    layer.multiply_adds = product(weight) * plane_[1] * plane_[2];
    layers_.push_back(std::move(layer));
  }

  void batch_norm(const std::string& name) {
    Layer layer = at(name, "BatchNorm2d");
    layer.parameters = {{name + ".weight", {channels()}, true},
                        {name + ".bias", {channels()}, true},
                        {name + ".running_mean", {channels()}, false},
                        {name + ".running_var", {channels()}, false},
                        {name + ".num_batches_tracked", {}, false}};
    layers_.push_back(std::move(layer));
  }

  void plain(const std::string& name, const std::string& type) { layers_.push_back(at(name, type)); }

  void pool(const std::string& name) {
    plane_ = {channels(), 1, 1};
    plain(name, "AdaptiveAvgPool2d");
  }

  void linear(const std::string& name, int64_t out) {
    const int64_t in = channels();
    plane_ = {out, 1, 1};
    Layer layer = at(name, "Linear");
    layer.detail = std::to_string(in) + " -> " + std::to_string(out);
    layer.parameters = {{name + ".weight", {out, in}, true}, {name + ".bias", {out}, true}};
    layer.multiply_adds = in * out;
    layers_.push_back(std::move(layer));
  }

  // The ghost module of a bottleneck: ratio 2, 1x1 primary convolution, 3x3 cheap operation.
  void ghost_module(const std::string& name, int64_t out, bool relu) {
    const int64_t primary = (out + 1) / 2;
    conv(name + ".primary_conv.0", primary, 1);
    batch_norm(name + ".primary_conv.1");
    if (relu) plain(name + ".primary_conv.2", "ReLU");
    conv(name + ".cheap_operation.0", primary, 3, 1, true);
    batch_norm(name + ".cheap_operation.1");
    if (relu) plain(name + ".cheap_operation.2", "ReLU");
    plane_[0] = out;
    plain(name, "Concat");
  }

  void squeeze_excite(const std::string& name, double ratio) {
    const Plane before = plane_;
    const int64_t reduced = make_divisible(static_cast<double>(before[0]) * ratio, 4);
    pool(name + ".avg_pool");
    conv(name + ".conv_reduce", reduced, 1, 1, false, true);
    plain(name + ".act1", "ReLU");
    conv(name + ".conv_expand", before[0], 1, 1, false, true);
    plain(name + ".gate", "HardSigmoid");
    rewind(before);
    plain(name, "Multiply");
  }

  void bottleneck(const std::string& name, const Architecture& architecture, const BlockSpec& block) {
    const Plane input = plane_;
    const int64_t middle = architecture.scaled(block.expansion);
    const int64_t out = architecture.scaled(block.out);
    ghost_module(name + ".ghost1", middle, true);
    if (block.stride > 1) {
      conv(name + ".conv_dw", middle, block.kernel, block.stride, true);
      batch_norm(name + ".bn_dw");
    }
    if (block.se_ratio > 0) squeeze_excite(name + ".se", block.se_ratio);
    ghost_module(name + ".ghost2", out, false);
    if (input[0] != out || block.stride != 1) {
      rewind(input);
      conv(name + ".shortcut.0", input[0], block.kernel, block.stride, true);
      batch_norm(name + ".shortcut.1");
      conv(name + ".shortcut.2", out, 1);
      batch_norm(name + ".shortcut.3");
    }
    plain(name, "Add");
  }

  std::vector<Layer> take() { return std::move(layers_); }

 private:
  Layer at(const std::string& name, const std::string& type) const {
    Layer layer;
    layer.name = name;
    layer.type = type;
    layer.output = plane_;
    return layer;
  }

  Plane plane_;
  std::vector<Layer> layers_;
};

}  // namespace

std::vector<Layer> describe_layers(const Architecture& architecture, int64_t height, int64_t width) {
  Walk walk(3, height, width);
  walk.conv("conv_stem", architecture.stem_channels(), 3, 2);
  walk.batch_norm("bn1");
  walk.plain("act1", "ReLU");
  for (size_t stage = 0; stage < architecture.stages.size(); ++stage) {
    for (size_t block = 0; block < architecture.stages[stage].size(); ++block) {
      walk.bottleneck("blocks." + std::to_string(stage) + "." + std::to_string(block), architecture,
                      architecture.stages[stage][block]);
    }
  }
  const std::string last = "blocks." + std::to_string(architecture.stages.size()) + ".0";
  walk.conv(last + ".conv", architecture.last_channels(), 1);
  walk.batch_norm(last + ".bn1");
  walk.plain(last + ".act1", "ReLU");
  walk.pool("global_pool");
  walk.conv("conv_head", kFeatureChannels, 1, 1, false, true);
  walk.plain("act2", "ReLU");
  walk.linear("classifier", architecture.num_classes);
  return walk.take();
}

int64_t count_parameters(const std::vector<Layer>& layers) {
  int64_t total = 0;
  for (const Layer& layer : layers) {
    for (const ParameterSpec& parameter : layer.parameters) {
      if (parameter.trainable) total += product(parameter.shape);
    }
  }
  return total;
}

int64_t count_multiply_adds(const std::vector<Layer>& layers) {
  return std::accumulate(layers.begin(), layers.end(), int64_t{0},
                         [](int64_t total, const Layer& layer) { return total + layer.multiply_adds; });
}

}  // namespace ghostnet
