/**
 * A network as a list of nodes, built from its architecture. The layer table, the check of a checkpoint,
 * folding and the plans of all engines walk this list. Only the torch::nn modules define the network a second
 * time, as the readable reference; a test compares the two.
 *
 * Source: arXiv 1911.11907, table 1 and section 3.2; arXiv 2211.12905, section 3.2.
 */
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/activation.h"
#include "base/kernel_size.h"
#include "model/architecture.h"

namespace ghostnet {

/** The size of the activations of one image. */
struct Plane {
  int64_t channels, height, width;

  int64_t row() const { return channels * width; }
  int64_t pixels() const { return height * width; }
  int64_t count() const { return channels * height * width; }
  bool operator==(const Plane&) const = default;
};

/** One of the convolutions whose sum is a convolution in training. Its filter is centred in that of the sum.
 */
struct Branch {
  std::string name;  ///< as in the checkpoint: its weight is `name`.weight; empty if it is the input itself
  std::string norm;  ///< name of its batch normalisation
  KernelSize kernel;
};

/** A convolution or a linear layer, with the batch normalisation and the activation after it. Padding is
 * kernel/2. */
struct Convolution {
  std::string name = {};  ///< as in the checkpoint: its weight is `name`.weight
  std::string norm = {};  ///< name of the batch normalisation; empty if there is a bias, `name`.bias, instead
  std::vector<Branch> branches = {};  ///< if any, the weights are theirs, and `name` and `norm` have none
  int64_t in = 0, out = 0;            ///< channels
  KernelSize kernel = {};
  int64_t stride = 1;
  bool depthwise = false;  ///< one filter per channel
  bool linear = false;     ///< the weight is a matrix, [out,in]
  Activation activation = Activation::none;
  std::string activation_name = {};

  /** [out,in,height,width] of the filter; depthwise [out,1,height,width]; linear [out,in]. */
  std::vector<int64_t> weight_shape() const { return weight_shape(kernel); }
  /** The same for a branch with this filter. */
  std::vector<int64_t> weight_shape(KernelSize filter) const;
  bool relu() const { return activation == Activation::relu; }
};

/** What a node computes. An engine without a step for a kind rejects the network with an error code. */
enum class NodeKind {
  stem,          ///< the first convolution, 3x3 of stride 2, of the image
  ghost_module,  ///< primary convolution and cheap operation, concatenated and cut to the output's channels
  separable,     ///< primary convolution and cheap operation, whose result alone is the output
  depthwise,     ///< a depthwise convolution
  pointwise,     ///< a 1x1 convolution of a plane
  mean,          ///< the mean of each channel over its pixels
  halve,         ///< the means of 2x2 pixels; an odd last row or column is left out
  dense,         ///< a 1x1 convolution or a linear layer of a single pixel
  scale,         ///< the first input times the second, which has one value per channel
  attend,        ///< the first input times the second, each pixel the nearest of a smaller plane
  add,           ///< the sum of two inputs
};

struct Node {
  NodeKind kind;
  std::string name;                       ///< path of the module, e.g. "blocks.3.0.ghost1"
  std::vector<size_t> inputs;             ///< earlier nodes; none for the stem, whose input is the image
  std::vector<Convolution> convolutions;  ///< in the order in which they run
  Plane output;
};

struct Graph {
  Architecture architecture;
  Plane image;              ///< the input
  std::vector<Node> nodes;  ///< in the order of the modules; the last one computes the logits, if any
  size_t features = 0;      ///< the node that computes the embedding
};

/**
 * @param architecture validated
 * @param height,width of the input in pixels, each at least least_side(architecture)
 */
Graph make_graph(const Architecture& architecture, int64_t height, int64_t width);

/** For an input of the least sides: what does not depend on them. */
inline Graph make_graph(const Architecture& architecture) {
  return make_graph(architecture, least_side(architecture), least_side(architecture));
}

}  // namespace ghostnet
