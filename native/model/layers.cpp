#include "model/layers.h"

#include <functional>
#include <numeric>

#include "model/graph.h"

namespace ghostnet {

namespace {

int64_t product(const std::vector<int64_t>& values) {
  return std::accumulate(values.begin(), values.end(), int64_t{1}, std::multiplies<>());
}

std::array<int64_t, 3> sizes(const Plane& plane) { return {plane.channels, plane.height, plane.width}; }

const char* type_of(Activation activation) {
  switch (activation) {
    case Activation::none:
      break;
    case Activation::relu:
      return "ReLU";
    case Activation::hard_sigmoid:
      return "HardSigmoid";
    case Activation::sigmoid:
      return "Sigmoid";
    case Activation::clamp:
      return "Clamp";
  }
  return "";
}

/** The layer of a node itself, in addition to those of its convolutions; empty if there is none. */
const char* type_of(NodeKind kind) {
  switch (kind) {
    case NodeKind::ghost_module:
      return "Concat";
    case NodeKind::mean:
      return "AdaptiveAvgPool2d";
    case NodeKind::halve:
      return "AvgPool2d";
    case NodeKind::attend:
    case NodeKind::scale:
      return "Multiply";
    case NodeKind::add:
      return "Add";
    case NodeKind::stem:
    case NodeKind::separable:
    case NodeKind::depthwise:
    case NodeKind::pointwise:
    case NodeKind::dense:
      break;
  }
  return "";
}

std::string detail_of(const Convolution& convolution, KernelSize kernel) {
  std::string detail = std::to_string(convolution.in) + " -> " + std::to_string(convolution.out);
  if (!convolution.linear) {
    detail += ", " + std::to_string(kernel.height) + "x" + std::to_string(kernel.width);
  }
  if (convolution.stride > 1) detail += ", stride " + std::to_string(convolution.stride);
  if (convolution.depthwise) detail += ", depthwise";
  return detail;
}

std::vector<ParameterSpec> norm_parameters(const std::string& name, int64_t channels) {
  return {{name + ".weight", {channels}, true},
          {name + ".bias", {channels}, true},
          {name + ".running_mean", {channels}, false},
          {name + ".running_var", {channels}, false},
          {name + ".num_batches_tracked", {}, false}};
}

/** Appends the layers of a convolution: those with weights, and its activation. */
class ConvolutionLayers {
 public:
  ConvolutionLayers(std::vector<Layer>& layers, const Convolution& convolution, const Plane& output)
      : layers_(layers), convolution_(convolution), output_(output) {}

  void append() {
    const Convolution& whole = convolution_;
    if (whole.branches.empty()) {
      append_filter(whole.name, whole.norm.empty(), whole.kernel);
      if (!whole.norm.empty()) append_norm(whole.norm);
    }
    for (const Branch& branch : whole.branches) {
      if (!branch.name.empty()) append_filter(branch.name, false, branch.kernel);
      append_norm(branch.norm);
    }
    if (whole.branches.size() > 1) layers_.push_back({whole.name, "Add", "", sizes(output_), {}});
    if (whole.activation == Activation::none) return;
    layers_.push_back({whole.activation_name, type_of(whole.activation), "", sizes(output_), {}});
  }

 private:
  void append_filter(const std::string& name, bool has_bias, KernelSize kernel) {
    const std::vector<int64_t> weight = convolution_.weight_shape(kernel);
    Layer layer = {name,
                   convolution_.linear ? "Linear" : "Conv2d",
                   detail_of(convolution_, kernel),
                   sizes(output_),
                   {{name + ".weight", weight, true}}};
    if (has_bias) layer.parameters.push_back({name + ".bias", {convolution_.out}, true});
    layer.multiply_adds = product(weight) * output_.pixels();
    layers_.push_back(std::move(layer));
  }

  void append_norm(const std::string& name) {
    layers_.push_back({name, "BatchNorm2d", "", sizes(output_), norm_parameters(name, convolution_.out)});
  }

  std::vector<Layer>& layers_;
  const Convolution& convolution_;
  Plane output_;
};

}  // namespace

std::vector<Layer> describe_layers(const Architecture& architecture, int64_t height, int64_t width) {
  std::vector<Layer> layers;
  for (const Node& node : make_graph(architecture, height, width).nodes) {
    for (const Convolution& convolution : node.convolutions) {
      ConvolutionLayers(layers, convolution, {convolution.out, node.output.height, node.output.width})
          .append();
    }
    const std::string type = type_of(node.kind);
    if (!type.empty()) layers.push_back({node.name, type, "", sizes(node.output), {}});
  }
  return layers;
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
