#include "training/softmax_loss.h"

#include <algorithm>
#include <cmath>
#include <exception>
#include <vector>

#include "base/error.h"

namespace ghostnet {

namespace {

/** Rows that are converted to float64 at a time: they stay in the cache. */
constexpr int64_t kBlock = 256;

/** The most slices. A slice has a gradient of its own, so there are fewer if the classes are many. */
constexpr int64_t kMostSlices = 16;

int64_t slices_for(int64_t rows, int64_t classes) {
  return std::clamp<int64_t>(rows / (4 * classes), 1, kMostSlices);
}

torch::Tensor logits_of(const torch::Tensor& rows, const torch::Tensor& parameters) {
  const int64_t features = rows.size(1);
  return torch::addmm(parameters.select(1, features), rows, parameters.narrow(1, 0, features).t());
}

}  // namespace

void for_each_block(int64_t begin, int64_t end, const std::function<void(int64_t, int64_t)>& work) {
  for (int64_t first = begin; first < end; first += kBlock) work(first, std::min(kBlock, end - first));
}

torch::Tensor scaled_rows(const ArrayView& embeddings, int64_t first, int64_t count,
                          const EmbeddingScale& scale) {
  const int64_t features = embeddings.shape[1];
  auto* data = const_cast<float*>(static_cast<const float*>(embeddings.data)) + first * features;
  const auto rows = torch::from_blob(data, {count, features}, torch::kFloat32);
  return rows.to(torch::kFloat64).sub_(scale.mean).div_(scale.deviation);
}

EmbeddingScale EmbeddingScale::of(const ArrayView& embeddings) {
  const int64_t rows = embeddings.shape[0];
  const int64_t features = embeddings.shape[1];
  EmbeddingScale scale{torch::zeros({features}, torch::kFloat64)};
  torch::Tensor sum = torch::zeros({features}, torch::kFloat64);
  for_each_block(0, rows, [&](int64_t first, int64_t count) {
    sum += scaled_rows(embeddings, first, count, scale).sum(0);
  });
  scale.mean = sum / rows;
  double squares = 0;
  for_each_block(0, rows, [&](int64_t first, int64_t count) {
    squares += scaled_rows(embeddings, first, count, scale).square_().sum().item<double>();
  });
  const double variance = squares / static_cast<double>(rows * features);
  // Equal embeddings have none.
  if (variance > 0) scale.deviation = std::sqrt(variance);
  return scale;
}

struct SoftmaxLoss::Slice {
  int64_t begin = 0, end = 0;
  double loss = 0;
  torch::Tensor gradient;
  std::exception_ptr failure;
};

SoftmaxLoss::SoftmaxLoss(const ArrayView& embeddings, const ArrayView& labels, int64_t classes,
                         const EmbeddingScale& scale, double l2)
    : embeddings_(embeddings),
      labels_(static_cast<const int32_t*>(labels.data)),
      rows_(embeddings.shape[0]),
      features_(embeddings.shape[1]),
      classes_(classes),
      scale_(scale),
      l2_(l2) {}

void SoftmaxLoss::add_rows(Slice& slice, const torch::Tensor& parameters) const {
  const torch::NoGradGuard no_grad;
  slice.gradient = torch::zeros({classes_, features_ + 1}, torch::kFloat64);
  torch::Tensor weights = slice.gradient.narrow(1, 0, features_);
  torch::Tensor biases = slice.gradient.select(1, features_);
  for_each_block(slice.begin, slice.end, [&](int64_t first, int64_t count) {
    const torch::Tensor rows = scaled_rows(embeddings_, first, count, scale_);
    const torch::Tensor logs = torch::log_softmax(logits_of(rows, parameters), 1);
    // The derivative by the logits: the softmax, less 1 for the right class.
    torch::Tensor errors = logs.exp();
    const auto log = logs.accessor<double, 2>();
    auto error = errors.accessor<double, 2>();
    for (int64_t row = 0; row < count; ++row) {
      const int64_t label = labels_[first + row];
      slice.loss -= log[row][label];
      error[row][label] -= 1;
    }
    weights.addmm_(errors.t(), rows);
    biases += errors.sum(0);
  });
}

double SoftmaxLoss::evaluate(const torch::Tensor& parameters, torch::Tensor& gradient, Team& team,
                             const std::atomic<bool>& cancelled) const {
  const int64_t count = slices_for(rows_, classes_);
  std::vector<Slice> slices(static_cast<size_t>(count));
  for (int64_t index = 0; index < count; ++index) {
    slices[static_cast<size_t>(index)].begin = index * rows_ / count;
    slices[static_cast<size_t>(index)].end = (index + 1) * rows_ / count;
  }
  struct Context {
    const SoftmaxLoss& loss;
    std::vector<Slice>& slices;
    const torch::Tensor& parameters;
    const std::atomic<bool>& cancelled;
    std::atomic<size_t> next{0};
  } context{*this, slices, parameters, cancelled};
  team.run(
      [](void* given, int) {
        auto& shared = *static_cast<Context*>(given);
        for (size_t index = shared.next++; index < shared.slices.size(); index = shared.next++) {
          if (shared.cancelled) return;
          Slice& slice = shared.slices[index];
          try {
            shared.loss.add_rows(slice, shared.parameters);
          } catch (...) {
            slice.failure = std::current_exception();
          }
        }
      },
      &context);
  if (cancelled) throw Error(ErrorCode::GHOSTNET_ABORTED, "The training was aborted");
  const torch::Tensor weights = parameters.narrow(1, 0, features_);
  const auto rows = static_cast<double>(rows_);
  double loss = 0;
  gradient.zero_();
  for (const Slice& slice : slices) {
    if (slice.failure != nullptr) std::rethrow_exception(slice.failure);
    loss += slice.loss;
    gradient += slice.gradient;
  }
  gradient.div_(rows);
  gradient.narrow(1, 0, features_).add_(weights, l2_);
  return loss / rows + l2_ / 2 * weights.square().sum().item<double>();
}

Array softmax_scores(const ArrayView& embeddings, const torch::Tensor& parameters,
                     const EmbeddingScale& scale) {
  const int64_t rows = embeddings.shape[0];
  const int64_t classes = parameters.size(0);
  const std::vector<int64_t> shape = {rows, classes};
  Array scores{DType::float32, shape, std::make_shared<Buffer>(byte_count(DType::float32, shape))};
  auto* to = reinterpret_cast<float*>(scores.memory->data());
  for_each_block(0, rows, [&](int64_t first, int64_t count) {
    const torch::Tensor block = scaled_rows(embeddings, first, count, scale);
    torch::from_blob(to + first * classes, {count, classes}, torch::kFloat32)
        .copy_(torch::softmax(logits_of(block, parameters), 1));
  });
  return scores;
}

}  // namespace ghostnet
