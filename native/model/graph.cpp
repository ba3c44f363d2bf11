#include "model/graph.h"

#include "model/bottleneck.h"
#include "model/graph_builder.h"

namespace ghostnet {

std::vector<int64_t> Convolution::weight_shape(KernelSize filter) const {
  if (linear) return {out, in};
  return {out, depthwise ? 1 : in, filter.height, filter.width};
}

Graph make_graph(const Architecture& architecture, int64_t height, int64_t width) {
  GraphBuilder builder(architecture, height, width);
  size_t x = builder.stem(rectified({.name = "conv_stem",
                                     .norm = "bn1",
                                     .in = 3,
                                     .out = architecture.stem_channels(),
                                     .kernel = 3,
                                     .stride = 2},
                                    "act1"));
  for (size_t stage = 0; stage < architecture.stages.size(); ++stage) {
    for (size_t row = 0; row < architecture.stages[stage].size(); ++row) {
      x = add_bottleneck(builder, block_name(stage, row), architecture.stages[stage][row], x);
    }
  }
  const std::string last = block_name(architecture.stages.size(), 0);
  x = builder.pointwise(x, rectified({.name = last + ".conv",
                                      .norm = last + ".bn1",
                                      .in = builder.channels(x),
                                      .out = architecture.last_channels()},
                                     last + ".act1"));
  x = builder.mean(x, "global_pool");
  const bool has_norm = architecture.design == Design::first_code;
  x = builder.dense(x, rectified({.name = "conv_head",
                                  .norm = has_norm ? kHeadNorm : "",
                                  .in = builder.channels(x),
                                  .out = kFeatureChannels},
                                 "act2"));
  if (architecture.num_classes > 0) {
    builder.dense(
        x, {.name = "classifier", .in = kFeatureChannels, .out = architecture.num_classes, .linear = true});
  }
  return builder.finish(x);
}

}  // namespace ghostnet
