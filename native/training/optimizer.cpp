#include "training/optimizer.h"

namespace ghostnet {

namespace {

namespace optim = torch::optim;

template <typename Made, typename Options>
std::unique_ptr<optim::Optimizer> make(const std::vector<torch::Tensor>& decaying,
                                       const std::vector<torch::Tensor>& others, const Options& options,
                                       double weight_decay) {
  const auto group = [&](const std::vector<torch::Tensor>& parameters, double decay) {
    auto own = std::make_unique<Options>(options);
    own->weight_decay(decay);
    return optim::OptimizerParamGroup(parameters, std::move(own));
  };
  return std::make_unique<Made>(
      std::vector<optim::OptimizerParamGroup>{group(decaying, weight_decay), group(others, 0)}, options);
}

}  // namespace

bool decays(const torch::Tensor& parameter) { return parameter.dim() > 1; }

Optimizer::Optimizer(const torch::nn::Module& module, const TrainingSettings& settings)
    : parameters_(module.named_parameters()), kind_(settings.optimizer) {
  std::vector<torch::Tensor> decaying, others;
  for (const auto& item : parameters_) (decays(item.value()) ? decaying : others).push_back(item.value());
  if (kind_ == OptimizerKind::sgd) {
    const auto own = optim::SGDOptions(0).momentum(settings.momentum).nesterov(settings.momentum > 0);
    optimizer_ = make<optim::SGD>(decaying, others, own, settings.weight_decay);
  } else {
    optimizer_ = make<optim::AdamW>(decaying, others, optim::AdamWOptions(0), settings.weight_decay);
  }
}

void Optimizer::step(double rate, double most) {
  if (most > 0) torch::nn::utils::clip_grad_norm_(parameters_.values(), most);
  for (auto& group : optimizer_->param_groups()) group.options().set_lr(rate);
  optimizer_->step();
}

NamedTensors Optimizer::state() const {
  NamedTensors state;
  const auto& memory = optimizer_->state();
  for (const auto& item : parameters_) {
    const auto found = memory.find(item.value().unsafeGetTensorImpl());
    if (found == memory.end()) continue;
    const std::string prefix = item.key() + ".";
    if (kind_ == OptimizerKind::sgd) {
      const auto& own = static_cast<const optim::SGDParamState&>(*found->second);
      if (own.momentum_buffer().defined()) state[prefix + "momentum_buffer"] = own.momentum_buffer();
    } else {
      const auto& own = static_cast<const optim::AdamWParamState&>(*found->second);
      state[prefix + "exp_avg"] = own.exp_avg();
      state[prefix + "exp_avg_sq"] = own.exp_avg_sq();
      state[prefix + "step"] = torch::tensor(own.step(), torch::kInt64);
    }
  }
  return state;
}

void Optimizer::restore(const NamedTensors& state) {
  const torch::NoGradGuard no_grad;
  auto& memory = optimizer_->state();
  for (const auto& item : parameters_) {
    const auto find = [&](const char* part) -> const torch::Tensor* {
      const auto found = state.find(item.key() + "." + part);
      return found == state.end() ? nullptr : &found->second;
    };
    const auto copy = [&](const torch::Tensor& tensor) {
      return torch::empty_like(item.value()).copy_(tensor);
    };
    void* const key = item.value().unsafeGetTensorImpl();
    if (kind_ == OptimizerKind::sgd) {
      const torch::Tensor* momentum = find("momentum_buffer");
      if (momentum == nullptr) continue;
      auto own = std::make_unique<optim::SGDParamState>();
      own->momentum_buffer(copy(*momentum));
      memory[key] = std::move(own);
    } else {
      const torch::Tensor* step = find("step");
      const torch::Tensor* mean = find("exp_avg");
      const torch::Tensor* square = find("exp_avg_sq");
      if (step == nullptr || mean == nullptr || square == nullptr) continue;
      auto own = std::make_unique<optim::AdamWParamState>();
      own->step(step->item<int64_t>());
      own->exp_avg(copy(*mean));
      own->exp_avg_sq(copy(*square));
      memory[key] = std::move(own);
    }
  }
}

}  // namespace ghostnet
