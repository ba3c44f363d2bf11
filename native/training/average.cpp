#include "training/average.h"

#include <algorithm>

#include "runtime/tensor_bridge.h"

namespace ghostnet {

Average::Average(const torch::nn::Module& module, double decay) : decay_(decay) {
  const torch::NoGradGuard no_grad;
  for (const auto& items : {module.named_parameters(), module.named_buffers()}) {
    for (const auto& item : items) {
      entries_.push_back({item.key(), item.value(), item.value().detach().clone()});
    }
  }
}

double Average::decay_at(double largest, int64_t step) {
  return std::min(largest, static_cast<double>(1 + step) / static_cast<double>(10 + step));
}

void Average::update(int64_t step) {
  const torch::NoGradGuard no_grad;
  const double weight = 1 - decay_at(decay_, step);
  for (Entry& entry : entries_) {
    if (entry.value.is_floating_point())
      entry.value.lerp_(entry.source, weight);
    else
      entry.value.copy_(entry.source);
  }
}

void Average::restore(const std::map<std::string, ArrayView>& values) {
  const torch::NoGradGuard no_grad;
  for (Entry& entry : entries_) {
    const auto found = values.find(entry.name);
    if (found != values.end()) entry.value.copy_(borrow(found->second));
  }
}

std::map<std::string, torch::Tensor> Average::values() const {
  std::map<std::string, torch::Tensor> values;
  for (const Entry& entry : entries_) values[entry.name] = entry.value;
  return values;
}

}  // namespace ghostnet
