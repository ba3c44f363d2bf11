#include "engine/packed_network.h"

#include "engine/folded_network.h"

namespace ghostnet {

namespace {

using Convolution = FoldedNetwork::Convolution;

class Packer {
 public:
  Packer(const cpu::Kernels& kernels, Precision precision)
      : packing_{kernels, &pool_, precision == Precision::bfloat16} {}

  cpu::PackedProduct product(const Convolution& conv) const {
    return cpu::pack_product(packing_, conv.weight.data(), conv.bias.data(), conv.out, conv.in);
  }

  // The channels of a pixel lie together: [out][kernel row][kernel column][channel].
  cpu::PackedProduct stem(const Convolution& conv) const {
    const int64_t taps = conv.size * conv.size;
    std::vector<float> weight;
    weight.reserve(conv.weight.size());
    for (int64_t out = 0; out < conv.out; ++out) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        for (int64_t in = 0; in < conv.in; ++in) {
          weight.push_back(conv.weight[static_cast<size_t>((out * conv.in + in) * taps + tap)]);
        }
      }
    }
    return cpu::pack_product(packing_, weight.data(), conv.bias.data(), conv.out, conv.size * conv.in,
                             conv.size);
  }

  cpu::PackedDepthwise depthwise(const Convolution& conv) const { return depthwise(conv, conv.out); }

  cpu::PackedDepthwise depthwise(const Convolution& conv, int64_t channels) const {
    return cpu::pack_depthwise(packing_, conv.weight.data(), conv.bias.data(), channels, conv.size);
  }

  cpu::PackedRows rows(const Convolution& conv) const {
    return cpu::pack_rows(packing_, conv.weight.data(), conv.bias.data(), conv.out, conv.in);
  }

  cpu::PackedGhostModule ghost_module(const FoldedNetwork::GhostModule& module) const {
    return {product(module.primary), depthwise(module.cheap, module.out - module.primary.out), module.relu};
  }

  PackedBottleneck bottleneck(const FoldedNetwork::Bottleneck& block) const {
    PackedBottleneck packed;
    packed.name = block.name;
    packed.stride = block.stride;
    packed.ghost1 = ghost_module(block.ghost1);
    packed.ghost2 = ghost_module(block.ghost2);
    if (block.strided) packed.strided = depthwise(*block.strided);
    if (block.squeeze_excite) {
      packed.squeeze_excite = {rows(block.squeeze_excite->reduce), rows(block.squeeze_excite->expand)};
    }
    if (block.shortcut) {
      packed.shortcut = {depthwise(block.shortcut->spatial), product(block.shortcut->pointwise)};
    }
    return packed;
  }

 private:
  cpu::FloatPool pool_;
  cpu::Packing packing_;
};

}  // namespace

PackedNetwork pack_network(GhostNetImpl& net, cpu::Capability capability, Precision precision) {
  const FoldedNetwork folded = fold_network(net);
  const Packer pack(cpu::kernels_of(capability), precision);
  PackedNetwork packed;
  packed.precision = precision;
  packed.stem = pack.stem(folded.stem);
  for (const FoldedNetwork::Bottleneck& block : folded.blocks)
    packed.blocks.push_back(pack.bottleneck(block));
  packed.last = pack.product(folded.last);
  packed.head = pack.rows(folded.head);
  packed.classifier = pack.rows(folded.classifier);
  return packed;
}

}  // namespace ghostnet
