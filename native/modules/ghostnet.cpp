#include "modules/ghostnet.h"

#include <ATen/CPUGeneratorImpl.h>

#include <random>

#include "modules/conv_bn_act.h"
#include "modules/ghost_bottleneck.h"

namespace ghostnet {

namespace nn = torch::nn;

namespace {

/** A Sequential that can be part of another Sequential, because its forward has a fixed signature. */
class StageImpl : public nn::SequentialImpl {
 public:
  torch::Tensor forward(const torch::Tensor& x) { return SequentialImpl::forward(x); }
};
TORCH_MODULE(Stage);

}  // namespace

GhostNetImpl::GhostNetImpl(const Architecture& architecture) : architecture_(architecture) {
  validate(architecture_);
  int64_t channels = architecture_.stem_channels();
  conv_stem = register_module("conv_stem",
                              nn::Conv2d(nn::Conv2dOptions(3, channels, 3).stride(2).padding(1).bias(false)));
  bn1 = register_module("bn1", nn::BatchNorm2d(channels));

  nn::Sequential stages;
  for (const auto& rows : architecture_.stages) {
    Stage stage;
    for (const BlockSpec& row : rows) {
      stage->push_back(GhostBottleneck(channels, architecture_, row));
      channels = architecture_.scaled(row.out);
    }
    stages->push_back(stage);
  }
  const int64_t last = architecture_.last_channels();
  Stage expand;
  expand->push_back(ConvBnAct(channels, last, 1));
  stages->push_back(expand);
  blocks = register_module("blocks", stages);

  const bool has_norm = architecture_.design == Design::first_code;
  conv_head =
      register_module("conv_head", nn::Conv2d(nn::Conv2dOptions(last, kFeatureChannels, 1).bias(!has_norm)));
  if (has_norm) bn2 = register_module("bn2", nn::BatchNorm2d(kFeatureChannels));
  if (architecture_.num_classes > 0)
    classifier = register_module("classifier", nn::Linear(kFeatureChannels, architecture_.num_classes));
  eval();
}

torch::Tensor GhostNetImpl::features(const torch::Tensor& x) {
  const torch::Tensor stem = torch::relu(bn1(conv_stem(x)));
  const torch::Tensor pooled = torch::adaptive_avg_pool2d(blocks->forward(stem), {1, 1});
  const torch::Tensor head = conv_head(pooled);
  return torch::relu(bn2 ? bn2(head) : head).flatten(1);
}

torch::Tensor GhostNetImpl::classify(const torch::Tensor& features) {
  return classifier(torch::dropout(features, architecture_.dropout, is_training()));
}

torch::Tensor GhostNetImpl::forward(const torch::Tensor& x) { return classify(features(x)); }

GhostNet make_ghostnet(const Architecture& architecture, std::optional<uint64_t> seed) {
  if (!seed) {
    std::random_device entropy;
    seed = (uint64_t{entropy()} << 32) | entropy();
  }
  // LibTorch initialises weights from the process-wide generator, whose state is restored afterwards.
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  const torch::Tensor state = generator.get_state();
  generator.set_current_seed(*seed);
  struct Restore {
    at::Generator& generator;
    const torch::Tensor& state;
    ~Restore() { generator.set_state(state); }
  } restore{generator, state};
  return GhostNet(architecture);
}

}  // namespace ghostnet
