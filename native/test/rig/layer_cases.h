/** Runs of the kernels of the layers that are not ghost modules. */
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "outcome.h"

namespace ghostnet::cuda_on_cpu {

struct LayerCase {
  std::string text;
  std::function<Outcome()> run;  ///< on random numbers, compared with float64
};

/** Shapes with an edge to them. */
std::vector<LayerCase> layer_edge_cases(Precision dtype);
std::vector<LayerCase> random_layer_cases(Precision dtype, int count);

}  // namespace ghostnet::cuda_on_cpu
