#pragma once

#include <torch/torch.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "training/settings.h"

namespace ghostnet {

using NamedTensors = std::map<std::string, torch::Tensor>;

/**
 * An optimiser of LibTorch over the parameters of a network: SGD with Nesterov's momentum, or AdamW. Only
 * what has two dimensions or more decays: neither biases nor the factors of batch normalisations do.
 * Parameters without a gradient stay as they are.
 */
class Optimizer {
 public:
  Optimizer(const torch::nn::Module& module, const TrainingSettings& settings);

  /** Removes the gradients, before they are computed. */
  void clear() { optimizer_->zero_grad(); }
  /** @param most the largest norm of all gradients together, by which they are scaled down; 0: none */
  void step(double rate, double most);

  /** What it remembers: NAME.momentum_buffer, or NAME.exp_avg, NAME.exp_avg_sq and NAME.step. */
  NamedTensors state() const;
  /** Takes over what another one remembers; copied. Parameters that are not named have no memory. */
  void restore(const NamedTensors& state);

 private:
  torch::OrderedDict<std::string, torch::Tensor> parameters_;
  OptimizerKind kind_;
  std::unique_ptr<torch::optim::Optimizer> optimizer_;
};

/** Whether a parameter decays. */
bool decays(const torch::Tensor& parameter);

}  // namespace ghostnet
