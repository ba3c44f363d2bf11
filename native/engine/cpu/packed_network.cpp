#include "engine/cpu/packed_network.h"

#include "engine/cpu/lowering.h"
#include "kernels/cpu/packing.h"

namespace ghostnet {

namespace {

template <typename Value>
class Packer {
 public:
  explicit Packer(const cpu::Kernels& kernels)
      : packing_{*kernels.row<Value>(), pool_}, rows_{*kernels.float32, pool_} {}

  PackedNode<Value> pack(const Node& node, const std::vector<FoldedConvolution>& folded) const {
    switch (node.kind) {
      case NodeKind::stem:
        return stem(node.convolutions[0], folded[0]);
      case NodeKind::ghost_module:
        return ghost_module(node, folded, node.output.channels - node.convolutions[0].out);
      case NodeKind::separable:
        return ghost_module(node, folded, node.output.channels);
      case NodeKind::depthwise:
        return depthwise(node.convolutions[0], folded[0], node.output.channels);
      case NodeKind::pointwise:
        return product(node.convolutions[0], folded[0]);
      case NodeKind::dense:
        return rows(node.convolutions[0], folded[0]);
      case NodeKind::mean:
      case NodeKind::halve:
      case NodeKind::attend:
      case NodeKind::scale:
      case NodeKind::add:
        break;
    }
    return {};
  }

  cpu::PackedRows rows(const Convolution& layer, const FoldedConvolution& folded) const {
    return cpu::pack_rows(rows_, folded.weight.data(), folded.bias.data(), layer.out, layer.in);
  }

 private:
  /** @param ghosts channels of the output that the cheap operation computes */
  cpu::PackedGhostModule<Value> ghost_module(const Node& node, const std::vector<FoldedConvolution>& folded,
                                             int64_t ghosts) const {
    return {product(node.convolutions[0], folded[0]), depthwise(node.convolutions[1], folded[1], ghosts),
            node.convolutions[0].relu(), node.kind == NodeKind::ghost_module};
  }

  cpu::PackedProduct<Value> product(const Convolution& layer, const FoldedConvolution& folded) const {
    return cpu::pack_product(packing_, folded.weight.data(), folded.bias.data(), layer.out, layer.in);
  }

  // The channels of a pixel are contiguous: [out][kernel row][kernel column][channel].
  cpu::PackedProduct<Value> stem(const Convolution& layer, const FoldedConvolution& folded) const {
    const int64_t taps = layer.kernel.taps();
    std::vector<float> weight;
    weight.reserve(folded.weight.size());
    for (int64_t out = 0; out < layer.out; ++out) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        for (int64_t in = 0; in < layer.in; ++in) {
          weight.push_back(folded.weight[static_cast<size_t>((out * layer.in + in) * taps + tap)]);
        }
      }
    }
    return cpu::pack_product(packing_, weight.data(), folded.bias.data(), layer.out,
                             layer.kernel.width * layer.in, layer.kernel.height);
  }

  // Only its first channels.
  cpu::PackedDepthwise<Value> depthwise(const Convolution& layer, const FoldedConvolution& folded,
                                        int64_t channels) const {
    return cpu::pack_depthwise(packing_, folded.weight.data(), folded.bias.data(), channels, layer.kernel);
  }

  cpu::ArrayPool pool_;
  cpu::Packing<Value> packing_;
  cpu::Packing<float> rows_;
};

template <typename Value>
class PackedNetworkOf : public PackedNetwork {
 public:
  PackedNetworkOf(const FoldedNetwork& folded, const cpu::Kernels& kernels, Precision precision)
      : PackedNetwork(folded.graph.architecture, kernels, precision) {
    const Packer<Value> packer(kernels);
    const std::vector<Node>& nodes = folded.graph.nodes;
    for (size_t index = 0; index < folded.graph.features; ++index) {
      nodes_.push_back(packer.pack(nodes[index], folded.nodes[index]));
    }
    head = packer.rows(nodes[folded.graph.features].convolutions[0], folded.nodes[folded.graph.features][0]);
    if (architecture.num_classes > 0)
      classifier = packer.rows(nodes.back().convolutions[0], folded.nodes.back()[0]);
  }

  ImagePlan plan(DType input, int64_t height, int64_t width, int team_size) const override {
    const Graph graph = make_graph(architecture, height, width);
    return ImagePlan(Lowering<Value>(graph, nodes_, kernels, team_size).steps(input), team_size);
  }

 private:
  PackedNodes<Value> nodes_;  ///< nodes before the head
};

}  // namespace

std::unique_ptr<PackedNetwork> pack_network(const FoldedNetwork& folded, const cpu::Kernels& kernels,
                                            Precision precision) {
  return cpu::visit(precision, [&]<typename Value>() -> std::unique_ptr<PackedNetwork> {
    return std::make_unique<PackedNetworkOf<Value>>(folded, kernels, precision);
  });
}

}  // namespace ghostnet
