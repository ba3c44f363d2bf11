#include "training/probe.h"

#include <torch/torch.h>

#include <cstring>
#include <string>

#include "base/error.h"
#include "runtime/guard.h"
#include "training/curvature.h"
#include "training/softmax_loss.h"

namespace ghostnet {

namespace {

/** Pairs of steps and gradients that L-BFGS remembers. */
constexpr int64_t kHistory = 20;

void check_array(const ArrayView& view, const char* name, DType dtype, const std::vector<int64_t>& shape) {
  if (view.dtype != dtype) {
    throw Error(ErrorCode::GHOSTNET_BAD_DTYPE, std::string("The ") + name + " have the wrong dtype",
                name_of(view.dtype), name_of(dtype));
  }
  if (view.shape != shape) {
    throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, std::string("The ") + name + " have the wrong shape",
                text_of(view.shape), text_of(shape));
  }
}

void check_task(const ProbeTask& task) {
  const auto invalid = [](const char* what, const std::string& found, const char* expected) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, what, found, expected);
  };
  const std::vector<int64_t>& shape = task.embeddings.shape;
  const std::vector<int64_t>& other = task.validation.shape;
  if (shape.size() != 2 || shape[0] < 1 || shape[1] < 1) {
    throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "The embeddings have the wrong shape", text_of(shape),
                "[N,D], both of at least 1");
  }
  if (task.classes < 2) invalid("There are too few classes", std::to_string(task.classes), "at least 2");
  if (!(task.l2 >= 0)) invalid("The penalty is out of range", std::to_string(task.l2), "at least 0");
  if (task.most_steps < 1) invalid("There are no steps", std::to_string(task.most_steps), "at least 1");
  check_array(task.embeddings, "embeddings", DType::float32, shape);
  check_array(task.labels, "labels", DType::int32, {shape[0]});
  check_array(task.validation, "embeddings for validation", DType::float32,
              {other.empty() ? 0 : other[0], shape[1]});
  if (task.start.data != nullptr)
    check_array(task.start, "parameters", DType::float64, {task.classes, shape[1] + 1});
  if (task.covariance.data != nullptr) {
    const int64_t side = covariance_side(shape);
    check_array(task.covariance, "covariances", DType::float64, {side, side});
  }
  const auto* labels = static_cast<const int32_t*>(task.labels.data);
  for (int64_t row = 0; row < shape[0]; ++row) {
    if (labels[row] >= 0 && labels[row] < task.classes) continue;
    invalid("A label is out of range", std::to_string(labels[row]), "a number below that of the classes");
  }
}

/** A tensor over the memory of an array of float64. */
torch::Tensor borrowed(const ArrayView& view) {
  return torch::from_blob(const_cast<void*>(view.data), view.shape, torch::kFloat64);
}

Array copied(const torch::Tensor& tensor, DType dtype) {
  const torch::Tensor values = tensor.contiguous();
  const std::vector<int64_t> shape = values.sizes().vec();
  Array array{dtype, shape, std::make_shared<Buffer>(byte_count(dtype, shape))};
  std::memcpy(array.memory->data(), values.data_ptr(), array.memory->size());
  return array;
}

ProbeFit fit(const ProbeTask& task, Team& team, const std::atomic<bool>& cancelled) {
  const torch::NoGradGuard no_grad;
  const int64_t features = task.embeddings.shape[1];
  const EmbeddingScale scale = EmbeddingScale::of(task.embeddings);
  const SoftmaxLoss loss(task.embeddings, task.labels, task.classes, scale, task.l2);
  const torch::Tensor covariance =
      task.covariance.data == nullptr ? covariance_of(task.embeddings, scale) : borrowed(task.covariance);
  const Curvature curvature(covariance, task.classes, task.l2);
  torch::Tensor gradient = torch::zeros({task.classes, features + 1}, torch::kFloat64);
  torch::Tensor round =
      task.start.data == nullptr ? torch::zeros_like(gradient) : curvature.round_of(borrowed(task.start));
  ProbeFit result;
  const auto evaluate = [&](const torch::Tensor& parameters) {
    ++result.evaluations;
    return loss.evaluate(parameters, gradient, team, cancelled);
  };
  torch::optim::LBFGS optimiser({round}, torch::optim::LBFGSOptions(1)
                                             .max_iter(task.most_steps)
                                             .max_eval(2 * task.most_steps)
                                             .tolerance_grad(task.tolerance)
                                             .tolerance_change(0)
                                             .history_size(kHistory)
                                             .line_search_fn("strong_wolfe"));
  optimiser.step([&] {
    const double value = evaluate(curvature.parameters_of(round));
    round.mutable_grad() = curvature.round_gradient(gradient);
    return torch::tensor(value, torch::kFloat64);
  });
  const torch::Tensor parameters = curvature.parameters_of(round);
  result.loss = evaluate(parameters);
  result.largest_derivative = gradient.abs().max().item<double>();
  const torch::Tensor weight = parameters.narrow(1, 0, features) / scale.deviation;
  const torch::Tensor bias = parameters.select(1, features) - weight.mv(scale.mean);
  result.weight = copied(weight.to(torch::kFloat32), DType::float32);
  result.bias = copied(bias.to(torch::kFloat32), DType::float32);
  result.parameters = copied(parameters, DType::float64);
  result.covariance = copied(covariance, DType::float64);
  result.scores = softmax_scores(task.validation, parameters, scale);
  return result;
}

}  // namespace

ProbeFit fit_probe(const ProbeTask& task, Team& team, const std::atomic<bool>& cancelled) {
  check_task(task);
  ProbeFit result;
  guard([&] { result = fit(task, team, cancelled); });
  return result;
}

}  // namespace ghostnet
