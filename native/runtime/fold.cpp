#include "runtime/fold.h"

#include "modules/ghostnet.h"

namespace ghostnet {

namespace {

std::vector<float> values(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.to(torch::kFloat32).contiguous();
  const auto* first = plain.const_data_ptr<float>();
  return {first, first + plain.numel()};
}

}  // namespace

FoldedTensors fold_batch_norm(const torch::Tensor& weight, const torch::Tensor& gamma,
                              const torch::Tensor& beta, const torch::Tensor& mean,
                              const torch::Tensor& variance, double epsilon) {
  const auto wide = [](const torch::Tensor& tensor) { return tensor.to(torch::kFloat64); };
  const torch::Tensor factor = wide(gamma) / (wide(variance) + epsilon).sqrt();
  return {(wide(weight) * factor.view({-1, 1, 1, 1})).to(torch::kFloat32),
          (wide(beta) - wide(mean) * factor).to(torch::kFloat32)};
}

FoldedNetwork fold_network(const GhostNetImpl& net) {
  const c10::InferenceMode inference;
  const auto parameters = net.named_parameters();
  const auto buffers = net.named_buffers();
  const auto fold = [&](const Convolution& layer) -> FoldedConvolution {
    const torch::Tensor& weight = parameters[layer.name + ".weight"];
    if (layer.norm.empty()) return {values(weight), values(parameters[layer.name + ".bias"])};
    const FoldedTensors folded =
        fold_batch_norm(weight, parameters[layer.norm + ".weight"], parameters[layer.norm + ".bias"],
                        buffers[layer.norm + ".running_mean"], buffers[layer.norm + ".running_var"]);
    return {values(folded.weight), values(folded.bias)};
  };
  FoldedNetwork network = {make_graph(net.architecture()), {}};
  for (const Node& node : network.graph.nodes) {
    auto& convolutions = network.nodes.emplace_back();
    for (const Convolution& layer : node.convolutions) convolutions.push_back(fold(layer));
  }
  return network;
}

}  // namespace ghostnet
