/**
 * A network's weights with the batch normalisations folded in, as plain arrays of float32 in the layout of
 * the checkpoint: what engines are made from. Copies: the model they were taken from may train on.
 */
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace ghostnet {

class GhostNetImpl;

struct FoldedNetwork {
  /** A convolution or a dense layer, which is one of side 1. */
  struct Convolution {
    int64_t out = 0, in = 0;    ///< in: of a group, 1 where it is depthwise
    int64_t size = 1;           ///< side of the kernel
    std::vector<float> weight;  ///< [out][in][size][size]
    std::vector<float> bias;    ///< [out]
  };
  struct GhostModule {
    Convolution primary, cheap;
    int64_t out = 0;  ///< the concatenation is cut to this many
    bool relu = true;
  };
  struct SqueezeExcite {
    Convolution reduce, expand;
  };
  struct Shortcut {
    Convolution spatial, pointwise;
  };
  struct Bottleneck {
    std::string name;  ///< as in the checkpoint, "blocks.0.0"
    int64_t stride = 1;
    GhostModule ghost1, ghost2;
    std::optional<Convolution> strided;
    std::optional<SqueezeExcite> squeeze_excite;
    std::optional<Shortcut> shortcut;
  };

  Convolution stem;
  std::vector<Bottleneck> blocks;
  Convolution last, head, classifier;
};

/** @param net in evaluation; its weights are copied */
FoldedNetwork fold_network(GhostNetImpl& net);

}  // namespace ghostnet
