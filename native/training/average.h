#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/array.h"

namespace ghostnet {

/**
 * The exponential moving average of a network: of its parameters and of the running statistics of its batch
 * normalisations. Counters are copied.
 */
class Average {
 public:
  /** Begins with the present values. @param decay the largest, in [0, 1) */
  Average(const torch::nn::Module& module, double decay);

  /**
   * Takes in the values after a step. In the first steps the average would hold on to its start, so the decay
   * rises to its largest value: at most (1 + step) / (10 + step). Source: ExponentialMovingAverage of
   * TensorFlow.
   * @param step from 0
   */
  void update(int64_t step);
  static double decay_at(double largest, int64_t step);

  /** Goes on from other values, copied. Those that are not named stay. */
  void restore(const std::map<std::string, ArrayView>& values);

  /** By the names of the network; they share the memory of the average. */
  std::map<std::string, torch::Tensor> values() const;

 private:
  struct Entry {
    std::string name;
    torch::Tensor source, value;
  };
  std::vector<Entry> entries_;
  double decay_;
};

}  // namespace ghostnet
