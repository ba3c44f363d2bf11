/**
 * The layers of a network as a flat list, in the order in which they run: names, parameters, shapes,
 * multiply-adds. A test compares it with the torch::nn modules.
 */
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "model/architecture.h"

namespace ghostnet {

/** A parameter or a buffer by its checkpoint key. */
struct ParameterSpec {
  std::string name;
  std::vector<int64_t> shape;
  bool trainable;  ///< false for the running statistics and counters of a batch normalisation
};

struct Layer {
  std::string name;    ///< dotted path as in the checkpoint, e.g. "blocks.3.0.ghost1.primary_conv.0"
  std::string type;    ///< "Conv2d", "BatchNorm2d", "ReLU", "HardSigmoid", "Sigmoid", "Clamp", "Add",
                       ///< "Multiply", "Concat", "AvgPool2d", "AdaptiveAvgPool2d", "Linear"
  std::string detail;  ///< kernel, stride and groups in words; empty if there are none
  std::array<int64_t, 3> output;  ///< channels, height, width
  std::vector<ParameterSpec> parameters;
  int64_t multiply_adds = 0;  ///< of convolutions and linear layers, for one image
};

/**
 * @param height,width of the input in pixels, each at least least_side(architecture)
 */
std::vector<Layer> describe_layers(const Architecture& architecture, int64_t height, int64_t width);

/** Trainable scalars, which papers call the parameters of a network. */
int64_t count_parameters(const std::vector<Layer>& layers);
/** Multiply-adds for one image, counted as in papers: convolutions and linear layers. */
int64_t count_multiply_adds(const std::vector<Layer>& layers);

}  // namespace ghostnet
