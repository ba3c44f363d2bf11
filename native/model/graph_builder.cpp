#include "model/graph_builder.h"

namespace ghostnet {

namespace {

Plane strided(const Plane& in, const Convolution& convolution) {
  const auto side = [&](int64_t length) { return (length - 1) / convolution.stride + 1; };
  return {convolution.out, side(in.height), side(in.width)};
}

}  // namespace

Convolution rectified(Convolution convolution, const std::string& name) {
  convolution.activation = Activation::relu;
  convolution.activation_name = name;
  return convolution;
}

Convolution depthwise_convolution(const std::string& name, const std::string& norm, int64_t channels,
                                  KernelSize kernel, int64_t stride) {
  return {.name = name,
          .norm = norm,
          .in = channels,
          .out = channels,
          .kernel = kernel,
          .stride = stride,
          .depthwise = true};
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

size_t GraphBuilder::halve(size_t x, const std::string& name) {
  const Plane& in = graph_.nodes[x].output;
  return append({NodeKind::halve, name, {x}, {}, {in.channels, in.height / 2, in.width / 2}});
}

size_t GraphBuilder::ghost_module(size_t x, const std::string& name, const Convolution& primary,
                                  const Convolution& cheap, int64_t out) {
  const Plane& in = graph_.nodes[x].output;
  return append({NodeKind::ghost_module, name, {x}, {primary, cheap}, {out, in.height, in.width}});
}

size_t GraphBuilder::separable(size_t x, const std::string& name, const Convolution& primary,
                               const Convolution& cheap) {
  const Plane& in = graph_.nodes[x].output;
  return append({NodeKind::separable, name, {x}, {primary, cheap}, {cheap.out, in.height, in.width}});
}

}  // namespace ghostnet
