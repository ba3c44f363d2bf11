#include "modules/dfc_attention.h"

namespace ghostnet {

namespace nn = torch::nn;

namespace {

nn::Conv2d along(int64_t channels, int64_t height, int64_t width) {
  return nn::Conv2d(nn::Conv2dOptions(channels, channels, {height, width})
                        .padding({height / 2, width / 2})
                        .groups(channels)
                        .bias(false));
}

}  // namespace

// One after another, in the order of the reference, so that a seed gives each module the same values.
DfcAttentionImpl::DfcAttentionImpl(int64_t in, int64_t out) {
  push_back(nn::Conv2d(nn::Conv2dOptions(in, out, 1).bias(false)));
  push_back(nn::BatchNorm2d(out));
  push_back(along(out, 1, 5));
  push_back(nn::BatchNorm2d(out));
  push_back(along(out, 5, 1));
  push_back(nn::BatchNorm2d(out));
}

torch::Tensor DfcAttentionImpl::forward(const torch::Tensor& x) {
  namespace F = nn::functional;
  const torch::Tensor low = torch::sigmoid(SequentialImpl::forward(torch::avg_pool2d(x, {2, 2}, {2, 2})));
  return F::interpolate(
      low,
      F::InterpolateFuncOptions().size(std::vector<int64_t>{x.size(2), x.size(3)}).mode(torch::kNearest));
}

}  // namespace ghostnet
