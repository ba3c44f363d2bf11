#include "engine/packed_network.h"

#include "engine/fold.h"
#include "model/conv_bn_act.h"
#include "model/ghost_bottleneck.h"
#include "model/ghostnet.h"

namespace ghostnet {

namespace {

namespace nn = torch::nn;

const float* values(const torch::Tensor& tensor) { return tensor.const_data_ptr<float>(); }

FoldedConv fold(const nn::Conv2dImpl& conv, const nn::BatchNorm2dImpl& norm) {
  const FoldedConv folded = fold_batch_norm(conv.weight, norm.weight, norm.bias, norm.running_mean,
                                            norm.running_var, norm.options.eps());
  return {folded.weight.contiguous(), folded.bias.contiguous()};
}

// The convolution at `index` and the batch normalisation behind it.
FoldedConv fold(const nn::Sequential& sequential, size_t index) {
  return fold(*sequential->ptr(index)->as<nn::Conv2dImpl>(),
              *sequential->ptr(index + 1)->as<nn::BatchNorm2dImpl>());
}

class Packer {
 public:
  Packer(const cpu::Kernels& kernels, Precision precision)
      : packing_{kernels, &pool_, precision == Precision::bfloat16} {}

  cpu::PackedProduct product(const FoldedConv& conv) const {
    return cpu::pack_product(packing_, values(conv.weight), values(conv.bias), conv.weight.size(0),
                             conv.weight.size(1));
  }

  // The channels of a pixel lie together: [out][kernel row][kernel column][channel].
  cpu::PackedProduct stem(const FoldedConv& conv) const {
    const torch::Tensor weight = conv.weight.permute({0, 2, 3, 1}).contiguous();
    return cpu::pack_product(packing_, values(weight), values(conv.bias), weight.size(0),
                             weight.size(2) * weight.size(3), weight.size(1));
  }

  cpu::PackedDepthwise depthwise(const FoldedConv& conv) const {
    return depthwise(conv, conv.weight.size(0));
  }

  cpu::PackedDepthwise depthwise(const FoldedConv& conv, int64_t channels) const {
    return cpu::pack_depthwise(packing_, values(conv.weight), values(conv.bias), channels,
                               conv.weight.size(2));
  }

  cpu::PackedRows rows(const torch::Tensor& weight, const torch::Tensor& bias) const {
    return cpu::pack_rows(packing_, values(weight.contiguous()), values(bias.contiguous()), weight.size(0),
                          weight.size(1));
  }

  cpu::PackedGhostModule ghost_module(GhostModule& module, int64_t out, bool relu) const {
    const FoldedConv primary = fold(module->primary_conv, 0);
    return {product(primary), depthwise(fold(module->cheap_operation, 0), out - primary.weight.size(0)),
            relu};
  }

  PackedBottleneck bottleneck(GhostBottleneckImpl& block, const std::string& name, int64_t middle,
                              int64_t out, int64_t stride) const {
    PackedBottleneck packed;
    packed.name = name;
    packed.stride = stride;
    packed.ghost1 = ghost_module(block.ghost1, middle, true);
    packed.ghost2 = ghost_module(block.ghost2, out, false);
    if (block.conv_dw) packed.strided = depthwise(fold(*block.conv_dw, *block.bn_dw));
    if (block.se) {
      packed.squeeze_excite = {rows(block.se->conv_reduce->weight, block.se->conv_reduce->bias),
                               rows(block.se->conv_expand->weight, block.se->conv_expand->bias)};
    }
    if (block.shortcut)
      packed.shortcut = {depthwise(fold(block.shortcut, 0)), product(fold(block.shortcut, 2))};
    return packed;
  }

 private:
  cpu::FloatPool pool_;
  cpu::Packing packing_;
};

}  // namespace

PackedNetwork pack_network(GhostNetImpl& net, cpu::Capability capability, Precision precision) {
  const c10::InferenceMode inference;
  const Architecture& architecture = net.architecture();
  const Packer pack(cpu::kernels_of(capability), precision);
  PackedNetwork packed;
  packed.precision = precision;
  packed.stem = pack.stem(fold(*net.conv_stem, *net.bn1));
  const auto modules = net.named_modules();
  for (size_t stage = 0; stage < architecture.stages.size(); ++stage) {
    for (size_t row = 0; row < architecture.stages[stage].size(); ++row) {
      const BlockSpec& spec = architecture.stages[stage][row];
      const std::string name = "blocks." + std::to_string(stage) + "." + std::to_string(row);
      packed.blocks.push_back(pack.bottleneck(*modules[name]->as<GhostBottleneckImpl>(), name,
                                              architecture.scaled(spec.expansion),
                                              architecture.scaled(spec.out), spec.stride));
    }
  }
  const auto& last =
      *modules["blocks." + std::to_string(architecture.stages.size()) + ".0"]->as<ConvBnActImpl>();
  packed.last = pack.product(fold(*last.conv, *last.bn1));
  packed.head = pack.rows(net.conv_head->weight, net.conv_head->bias);
  packed.classifier = pack.rows(net.classifier->weight, net.classifier->bias);
  return packed;
}

}  // namespace ghostnet
