#include "model/graph_builder.h"

namespace ghostnet {

namespace {

Plane strided(const Plane& in, const Convolution& convolution) {
  const auto side = [&](int64_t length) { return (length - 1) / convolution.stride + 1; };
  return {convolution.out, side(in.height), side(in.width)};
}

Convolution depthwise_convolution(const std::string& name, const std::string& norm, int64_t channels,
                                  int64_t kernel, int64_t stride) {
  return {.name = name,
          .norm = norm,
          .in = channels,
          .out = channels,
          .kernel = kernel,
          .stride = stride,
          .depthwise = true};
}

}  // namespace

Convolution rectified(Convolution convolution, const std::string& name) {
  convolution.activation = Activation::relu;
  convolution.activation_name = name;
  return convolution;
}

size_t GraphBuilder::append(Node node) {
  graph_.nodes.push_back(std::move(node));
  return graph_.nodes.size() - 1;
}

size_t GraphBuilder::append(NodeKind kind, size_t x, const Convolution& convolution) {
  return append({kind, convolution.name, {x}, {convolution}, strided(graph_.nodes[x].output, convolution)});
}

size_t GraphBuilder::stem(const Convolution& convolution) {
  return append({NodeKind::stem, convolution.name, {}, {convolution}, strided(graph_.image, convolution)});
}

size_t GraphBuilder::depthwise(size_t x, const std::string& name, const std::string& norm, int64_t kernel,
                               int64_t stride) {
  return append(NodeKind::depthwise, x, depthwise_convolution(name, norm, channels(x), kernel, stride));
}

size_t GraphBuilder::ghost_module(size_t x, const std::string& name, int64_t out, bool relu) {
  const int64_t intrinsic = (out + 1) / 2;
  const std::string primary_name = name + ".primary_conv", cheap_name = name + ".cheap_operation";
  Convolution primary = {
      .name = primary_name + ".0", .norm = primary_name + ".1", .in = channels(x), .out = intrinsic};
  Convolution cheap = depthwise_convolution(cheap_name + ".0", cheap_name + ".1", intrinsic, 3, 1);
  if (relu) {
    primary = rectified(primary, primary_name + ".2");
    cheap = rectified(cheap, cheap_name + ".2");
  }
  const Plane& in = graph_.nodes[x].output;
  return append({NodeKind::ghost_module, name, {x}, {primary, cheap}, {out, in.height, in.width}});
}

}  // namespace ghostnet
