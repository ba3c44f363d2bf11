#include "runtime/reference_runner.h"

#include "runtime/openmp_threads.h"
#include "runtime/tensor_bridge.h"

namespace ghostnet {

namespace {

torch::Tensor channel_values(const std::array<double, 3>& values) {
  return torch::tensor({values[0], values[1], values[2]}, torch::kFloat32).view({1, 3, 1, 1});
}

// Converts bytes NHWC or floats NCHW to the normalised channels-last floats that the network expects.
torch::Tensor to_input(const ArrayView& view, const Transform& transform) {
  const torch::Tensor input = borrow(view);
  if (view.dtype == DType::float32) return input.contiguous(at::MemoryFormat::ChannelsLast);
  return input.permute({0, 3, 1, 2})
      .to(torch::kFloat32)
      .div_(255)
      .sub_(channel_values(transform.mean))
      .div_(channel_values(transform.std));
}

}  // namespace

ReferenceRunner::ReferenceRunner(GhostNet net) : net_(std::move(net)) {
  const torch::NoGradGuard no_grad;
  for (torch::Tensor& parameter : net_->parameters()) {
    if (parameter.dim() == 4) parameter.set_data(parameter.contiguous(at::MemoryFormat::ChannelsLast));
  }
}

int64_t ReferenceRunner::columns(Output output) const {
  return output == Output::features ? kFeatureChannels : net_->architecture().num_classes;
}

void ReferenceRunner::run(const Request& request, float* result) {
  const c10::InferenceMode inference;
  const OpenMpThreads threads(request.team.size());
  const torch::Tensor x = to_input(request.input, request.transform);
  const torch::Tensor y = request.output == Output::logits ? net_->forward(x) : net_->features(x);
  torch::from_blob(result, y.sizes()).copy_(y);
}

}  // namespace ghostnet
