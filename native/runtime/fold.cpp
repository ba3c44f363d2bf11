#include "runtime/fold.h"

#include "modules/ghostnet.h"

namespace ghostnet {

namespace {

torch::Tensor wide(const torch::Tensor& tensor) { return tensor.to(torch::kFloat64); }

std::vector<float> values(const torch::Tensor& tensor) {
  const torch::Tensor plain = tensor.to(torch::kFloat32).contiguous();
  const auto* first = plain.const_data_ptr<float>();
  return {first, first + plain.numel()};
}

/** As fold_batch_norm, without rounding. */
FoldedTensors fold_wide(const torch::Tensor& weight, const torch::Tensor& gamma, const torch::Tensor& beta,
                        const torch::Tensor& mean, const torch::Tensor& variance, double epsilon) {
  const torch::Tensor factor = wide(gamma) / (wide(variance) + epsilon).sqrt();
  return {wide(weight) * factor.view({-1, 1, 1, 1}), wide(beta) - wide(mean) * factor};
}

/** Folds the convolutions of a network. */
class Folding {
 public:
  explicit Folding(const GhostNetImpl& net)
      : parameters_(net.named_parameters()), buffers_(net.named_buffers()) {}

  /** float64. */
  FoldedTensors fold(const Convolution& layer) const {
    if (!layer.branches.empty()) return sum(layer);
    const torch::Tensor& weight = parameters_[layer.name + ".weight"];
    if (layer.norm.empty()) return {wide(weight), wide(parameters_[layer.name + ".bias"])};
    return with_norm(weight, layer.norm);
  }

 private:
  FoldedTensors with_norm(const torch::Tensor& weight, const std::string& norm) const {
    return fold_wide(weight, parameters_[norm + ".weight"], parameters_[norm + ".bias"],
                     buffers_[norm + ".running_mean"], buffers_[norm + ".running_var"], kNormEpsilon);
  }

  // A smaller filter is centred in the larger: it has the same padding, less its own.
  FoldedTensors sum(const Convolution& layer) const {
    FoldedTensors total = {torch::zeros(layer.weight_shape(), torch::kFloat64),
                           torch::zeros({layer.out}, torch::kFloat64)};
    for (const Branch& branch : layer.branches) {
      const torch::Tensor weight = branch.name.empty() ? torch::ones(layer.weight_shape(branch.kernel))
                                                       : parameters_[branch.name + ".weight"];
      const FoldedTensors folded = with_norm(weight, branch.norm);
      const int64_t top = (layer.kernel.height - branch.kernel.height) / 2;
      const int64_t left = (layer.kernel.width - branch.kernel.width) / 2;
      total.weight.narrow(2, top, branch.kernel.height)
          .narrow(3, left, branch.kernel.width)
          .add_(folded.weight);
      total.bias.add_(folded.bias);
    }
    return total;
  }

  torch::OrderedDict<std::string, torch::Tensor> parameters_, buffers_;
};

}  // namespace

FoldedTensors fold_batch_norm(const torch::Tensor& weight, const torch::Tensor& gamma,
                              const torch::Tensor& beta, const torch::Tensor& mean,
                              const torch::Tensor& variance, double epsilon) {
  const FoldedTensors folded = fold_wide(weight, gamma, beta, mean, variance, epsilon);
  return {folded.weight.to(torch::kFloat32), folded.bias.to(torch::kFloat32)};
}

FoldedNetwork fold_network(const GhostNetImpl& net) {
  const c10::InferenceMode inference;
  const Folding folding(net);
  FoldedNetwork network = {make_graph(net.architecture()), {}};
  for (const Node& node : network.graph.nodes) {
    auto& convolutions = network.nodes.emplace_back();
    for (const Convolution& layer : node.convolutions) {
      const FoldedTensors folded = folding.fold(layer);
      convolutions.push_back({values(folded.weight), values(folded.bias)});
    }
  }
  return network;
}

std::map<std::string, torch::Tensor> deployed_state(const GhostNetImpl& net) {
  const torch::NoGradGuard no_grad;
  std::map<std::string, torch::Tensor> state;
  for (const auto& item : net.named_parameters()) state[item.key()] = item.value();
  for (const auto& item : net.named_buffers()) state[item.key()] = item.value();
  const Folding folding(net);
  const auto remove_norm = [&](const std::string& norm) {
    for (const char* part : {".weight", ".bias", ".running_mean", ".running_var", ".num_batches_tracked"}) {
      state.erase(norm + part);
    }
  };
  for (const Node& node : make_graph(net.architecture()).nodes) {
    for (const Convolution& layer : node.convolutions) {
      if (layer.branches.empty()) continue;
      const FoldedTensors folded = folding.fold(layer);
      for (const Branch& branch : layer.branches) {
        state.erase(branch.name + ".weight");
        remove_norm(branch.norm);
      }
      state[layer.name + ".weight"] = folded.weight.to(torch::kFloat32);
      state[layer.name + ".bias"] = folded.bias.to(torch::kFloat32);
    }
  }
  return state;
}

}  // namespace ghostnet
