/**
 * Builds bottlenecks and networks from nodes.
 */
#pragma once

#include <string>
#include <utility>

#include "model/graph.h"

namespace ghostnet {

class GraphBuilder {
 public:
  GraphBuilder(const Architecture& architecture, int64_t height, int64_t width) {
    graph_.architecture = architecture;
    graph_.image = {3, height, width};
  }

  const Architecture& architecture() const { return graph_.architecture; }
  int64_t channels(size_t node) const { return graph_.nodes[node].output.channels; }

  // Each function adds a node and returns its number; `x`, `a` and `b` are numbers of nodes.
  size_t stem(const Convolution& convolution);
  size_t depthwise(size_t x, const Convolution& convolution) {
    return append(NodeKind::depthwise, x, convolution);
  }
  size_t pointwise(size_t x, const Convolution& convolution) {
    return append(NodeKind::pointwise, x, convolution);
  }
  size_t mean(size_t x, const std::string& name) {
    return append({NodeKind::mean, name, {x}, {}, {channels(x), 1, 1}});
  }
  /** A plane of a single row or column has no halves. */
  size_t halve(size_t x, const std::string& name);
  size_t dense(size_t x, const Convolution& convolution) { return append(NodeKind::dense, x, convolution); }
  /** @param primary 1x1; with its cheap operation after it, cut to `out` channels */
  size_t ghost_module(size_t x, const std::string& name, const Convolution& primary, const Convolution& cheap,
                      int64_t out);
  size_t separable(size_t x, const std::string& name, const Convolution& primary, const Convolution& cheap);
  size_t scale(size_t a, size_t b, const std::string& name) { return combine(NodeKind::scale, a, b, name); }
  size_t attend(size_t a, size_t b, const std::string& name) { return combine(NodeKind::attend, a, b, name); }
  size_t add(size_t a, size_t b, const std::string& name) { return combine(NodeKind::add, a, b, name); }

  /** @param features the node that computes the embedding; the last node computes the logits */
  Graph finish(size_t features) {
    graph_.features = features;
    return std::move(graph_);
  }

 private:
  size_t append(Node node);
  size_t combine(NodeKind kind, size_t a, size_t b, const std::string& name) {
    return append({kind, name, {a, b}, {}, graph_.nodes[a].output});
  }
  size_t append(NodeKind kind, size_t x, const Convolution& convolution);

  Graph graph_;
};

/** The convolution, followed by a ReLU. */
Convolution rectified(Convolution convolution, const std::string& name);

/** One filter for each of the channels. */
Convolution depthwise_convolution(const std::string& name, const std::string& norm, int64_t channels,
                                  KernelSize kernel, int64_t stride = 1);

}  // namespace ghostnet
