#include "engine/folded_network.h"

#include "engine/fold.h"
#include "model/conv_bn_act.h"
#include "model/ghost_bottleneck.h"
#include "model/ghostnet.h"

namespace ghostnet {

namespace {

namespace nn = torch::nn;

std::vector<float> values(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.to(torch::kFloat32).contiguous();
  const auto* first = plain.const_data_ptr<float>();
  return {first, first + plain.numel()};
}

FoldedNetwork::Convolution convolution(const torch::Tensor& weight, const torch::Tensor& bias) {
  return {weight.size(0), weight.size(1), weight.dim() == 4 ? weight.size(2) : 1, values(weight),
          values(bias)};
}

FoldedNetwork::Convolution fold(const nn::Conv2dImpl& conv, const nn::BatchNorm2dImpl& norm) {
  const FoldedConv folded = fold_batch_norm(conv.weight, norm.weight, norm.bias, norm.running_mean,
                                            norm.running_var, norm.options.eps());
  return convolution(folded.weight, folded.bias);
}

// The convolution at `index` and the batch normalisation behind it.
FoldedNetwork::Convolution fold(const nn::Sequential& sequential, size_t index) {
  return fold(*sequential->ptr(index)->as<nn::Conv2dImpl>(),
              *sequential->ptr(index + 1)->as<nn::BatchNorm2dImpl>());
}

FoldedNetwork::GhostModule ghost_module(GhostModule& module, int64_t out, bool relu) {
  return {fold(module->primary_conv, 0), fold(module->cheap_operation, 0), out, relu};
}

FoldedNetwork::Bottleneck bottleneck(GhostBottleneckImpl& block, const std::string& name, int64_t middle,
                                     int64_t out, int64_t stride) {
  FoldedNetwork::Bottleneck folded;
  folded.name = name;
  folded.stride = stride;
  folded.ghost1 = ghost_module(block.ghost1, middle, true);
  folded.ghost2 = ghost_module(block.ghost2, out, false);
  if (block.conv_dw) folded.strided = fold(*block.conv_dw, *block.bn_dw);
  if (block.se) {
    folded.squeeze_excite = {convolution(block.se->conv_reduce->weight, block.se->conv_reduce->bias),
                             convolution(block.se->conv_expand->weight, block.se->conv_expand->bias)};
  }
  if (block.shortcut) folded.shortcut = {fold(block.shortcut, 0), fold(block.shortcut, 2)};
  return folded;
}

}  // namespace

FoldedNetwork fold_network(GhostNetImpl& net) {
  const c10::InferenceMode inference;
  const Architecture& architecture = net.architecture();
  FoldedNetwork folded;
  folded.stem = fold(*net.conv_stem, *net.bn1);
  const auto modules = net.named_modules();
  for (size_t stage = 0; stage < architecture.stages.size(); ++stage) {
    for (size_t row = 0; row < architecture.stages[stage].size(); ++row) {
      const BlockSpec& spec = architecture.stages[stage][row];
      const std::string name = "blocks." + std::to_string(stage) + "." + std::to_string(row);
      folded.blocks.push_back(bottleneck(*modules[name]->as<GhostBottleneckImpl>(), name,
                                         architecture.scaled(spec.expansion), architecture.scaled(spec.out),
                                         spec.stride));
    }
  }
  const auto& last =
      *modules["blocks." + std::to_string(architecture.stages.size()) + ".0"]->as<ConvBnActImpl>();
  folded.last = fold(*last.conv, *last.bn1);
  folded.head = convolution(net.conv_head->weight, net.conv_head->bias);
  folded.classifier = convolution(net.classifier->weight, net.classifier->bias);
  return folded;
}

}  // namespace ghostnet
