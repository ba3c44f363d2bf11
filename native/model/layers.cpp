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
    case NodeKind::scale:
      return "Multiply";
    case NodeKind::add:
      return "Add";
    case NodeKind::stem:
    case NodeKind::depthwise:
    case NodeKind::pointwise:
    case NodeKind::dense:
      break;
  }
  return "";
}

std::string detail_of(const Convolution& convolution) {
  const std::string side = std::to_string(convolution.kernel);
  std::string detail = std::to_string(convolution.in) + " -> " + std::to_string(convolution.out);
  if (!convolution.linear) detail += ", " + side + "x" + side;
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

/** A convolution, its normalisation and its activation. */
void append(std::vector<Layer>& layers, const Convolution& convolution, const Plane& output) {
  const std::string& name = convolution.name;
  const std::vector<int64_t> weight = convolution.weight_shape();
  Layer layer = {name, convolution.linear ? "Linear" : "Conv2d", detail_of(convolution), sizes(output), {}};
  layer.parameters = {{name + ".weight", weight, true}};
  if (convolution.norm.empty()) layer.parameters.push_back({name + ".bias", {convolution.out}, true});
  layer.multiply_adds = product(weight) * output.pixels();
  layers.push_back(std::move(layer));
  if (!convolution.norm.empty()) {
    layers.push_back({convolution.norm, "BatchNorm2d", "", sizes(output),
                      norm_parameters(convolution.norm, convolution.out)});
  }
  if (convolution.activation != Activation::none) {
    layers.push_back({convolution.activation_name, type_of(convolution.activation), "", sizes(output), {}});
  }
}

}  // namespace

std::vector<Layer> describe_layers(const Architecture& architecture, int64_t height, int64_t width) {
  std::vector<Layer> layers;
  for (const Node& node : make_graph(architecture, height, width).nodes) {
    for (const Convolution& convolution : node.convolutions) {
      append(layers, convolution, {convolution.out, node.output.height, node.output.width});
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
