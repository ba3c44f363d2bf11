#include "runtime/network.h"

#include <torch/torch.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>
#include <mutex>
#include <numeric>

#include "base/error.h"
#include "engine/cpu/engine.h"
#include "engine/cuda/cuda_engine.h"
#include "engine/cuda/gpus.h"
#include "model/infer.h"
#include "modules/ghostnet.h"
#include "runtime/fold.h"
#include "runtime/guard.h"
#include "runtime/reference_runner.h"
#include "runtime/tensor_bridge.h"
#include "runtime/weight_cache.h"

namespace ghostnet {

namespace {

// A network may need a larger input than every network does.
void check_input_size(const Architecture& architecture, const Transform& transform) {
  const int64_t least = least_side(architecture);
  if (transform.input_size >= least) return;
  throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "The input size is too small for this network",
              std::to_string(transform.input_size), "at least " + std::to_string(least) + " pixels");
}

std::vector<ClassScore> best_classes(const float* logits, int64_t classes, int64_t top_k) {
  std::vector<int64_t> order(static_cast<size_t>(classes));
  std::iota(order.begin(), order.end(), 0);
  // Comparisons with NaN are false: sort it last, so that this stays a strict weak order.
  const auto better = [&](int64_t a, int64_t b) {
    const bool a_nan = std::isnan(logits[a]);
    const bool b_nan = std::isnan(logits[b]);
    if (a_nan != b_nan) return b_nan;
    if (!a_nan && logits[a] != logits[b]) return logits[a] > logits[b];
    return a < b;
  };
  std::partial_sort(order.begin(), order.begin() + top_k, order.end(), better);
  const double peak = logits[order[0]];
  double sum = 0;
  for (int64_t index = 0; index < classes; ++index) sum += std::exp(logits[index] - peak);
  std::vector<ClassScore> best;
  for (int64_t rank = 0; rank < top_k; ++rank) {
    const int64_t index = order[static_cast<size_t>(rank)];
    best.push_back({index, static_cast<float>(std::exp(logits[index] - peak) / sum)});
  }
  return best;
}

}  // namespace

struct Network::Weights {
  explicit Weights(GhostNet made) : net(std::move(made)) {}

  GhostNet net;

  /** The runner of a computation, created by the first call. */
  Runner& runner(const Computation& computation) {
    const std::lock_guard lock(mutex);
    std::unique_ptr<Runner>& made = runners[computation];
    if (made == nullptr) made = make_runner(computation);
    return *made;
  }

 private:
  std::unique_ptr<Runner> make_runner(const Computation& computation) {
    if (computation.backend == Backend::reference) return std::make_unique<ReferenceRunner>(net);
    if (!folded) folded = fold_network(*net);
    if (computation.gpu) {
      return std::make_unique<cuda::CudaEngine>(cuda::open_gpu(*computation.gpu), *folded,
                                                computation.precision);
    }
    return std::make_unique<Engine>(
        pack_network(*folded, cpu::kernels_of(cpu::chosen_capability()), computation.precision));
  }

  std::mutex mutex;  // guards everything below: several threads use a GPU
  std::optional<FoldedNetwork> folded;
  std::map<Computation, std::unique_ptr<Runner>> runners;
};

Network::Network(std::shared_ptr<Weights> weights, const Transform& transform, const Computation& computation)
    : weights_(std::move(weights)), transform_(transform), computation_(computation) {
  if (computation.gpu) weights_->runner(computation);  // fail now, not at the first run
}
Network::~Network() = default;

std::shared_ptr<Network> Network::create(const Architecture& architecture, const Transform& transform,
                                         std::optional<uint64_t> seed, const Computation& computation) {
  validate(transform);
  validate(computation);
  check_input_size(architecture, transform);
  std::shared_ptr<Network> network;
  guard([&] {
    auto weights = std::make_shared<Weights>(make_ghostnet(architecture, seed));
    network.reset(new Network(std::move(weights), transform, computation));
  });
  return network;
}

std::shared_ptr<Network> Network::load(const NamedArrays& arrays, std::optional<Architecture> architecture,
                                       const Transform& transform, const Computation& computation) {
  validate(transform);
  validate(computation);
  Shapes shapes;
  for (const auto& [name, array] : arrays) shapes[name] = array.shape;
  if (!architecture) architecture = infer_architecture(shapes);
  architecture->design = see_design(shapes);
  architecture->form = see_form(shapes);
  check_parameters(*architecture, shapes);
  check_input_size(*architecture, transform);

  static WeightCache<Weights> cache;
  std::shared_ptr<Network> network;
  guard([&] {
    const auto matches = [&](const Weights& weights) {
      return weights.net->architecture() == *architecture && holds(*weights.net, arrays);
    };
    const auto make = [&] {
      auto weights = std::make_shared<Weights>(GhostNet(*architecture));
      fill(*weights->net, arrays);
      return weights;
    };
    network.reset(new Network(cache.find_or_make(digest_of(arrays), matches, make), transform, computation));
  });
  return network;
}

const Architecture& Network::architecture() const { return weights_->net->architecture(); }

int64_t Network::weight_bytes() const {
  int64_t bytes = 0;
  for (const auto& tensors : {weights_->net->parameters(), weights_->net->buffers()}) {
    for (const torch::Tensor& tensor : tensors) bytes += static_cast<int64_t>(tensor.nbytes());
  }
  return bytes;
}

void Network::check_input(DType dtype, const std::vector<int64_t>& shape) const {
  if (dtype != DType::float32 && dtype != DType::uint8) {
    throw Error(ErrorCode::GHOSTNET_BAD_DTYPE, "The network cannot take this dtype", name_of(dtype),
                "float32 [N,3,H,W], normalised, or uint8 [N,H,W,3], RGB");
  }
  const bool bytes = dtype == DType::uint8;
  const size_t channel_axis = bytes ? 3 : 1;
  const size_t height_axis = bytes ? 1 : 2;
  const int64_t least = least_side(architecture());
  if (shape.size() != 4 || shape[channel_axis] != 3 || shape[0] < 1 || shape[height_axis] < least ||
      shape[height_axis + 1] < least) {
    const std::string side = std::to_string(least);
    throw Error(ErrorCode::GHOSTNET_BAD_SHAPE,
                std::string("The network cannot take this shape of ") + name_of(dtype), text_of(shape),
                std::string(bytes ? "[N,H,W,3]" : "[N,3,H,W]") +
                    " with N of at least 1, and H and W of at least " + side);
  }
}

Array Network::run(const ArrayView& input, Output output, Team& team) const {
  check_input(input.dtype, input.shape);
  if (output == Output::logits && architecture().num_classes == 0) {
    throw Error(ErrorCode::GHOSTNET_NO_CLASSIFIER, "The model has no classifier", "weights with 0 classes");
  }
  Array result;
  guard([&] {
    Runner& runner = weights_->runner(computation_);
    result = {DType::float32, {input.shape[0], runner.columns(output)}, nullptr};
    result.memory = std::make_shared<Buffer>(byte_count(result.dtype, result.shape));
    runner.run({input, transform_, output, team}, reinterpret_cast<float*>(result.memory->data()));
  });
  return result;
}

std::vector<std::vector<ClassScore>> Network::classify(const std::vector<Array>& images, int64_t top_k,
                                                       Team& team) const {
  const int64_t classes = architecture().num_classes;
  if (classes > 0 && (top_k < 1 || top_k > classes)) {
    throw Error(
        ErrorCode::GHOSTNET_INVALID_ARGUMENT, "topK is out of range", std::to_string(top_k),
        "a whole number from 1 to " + std::to_string(classes) + ", the number of classes of the model");
  }
  const Array logits = run_images(images, Output::logits, team);
  const auto* row = reinterpret_cast<const float*>(logits.memory->data());
  std::vector<std::vector<ClassScore>> results;
  for (size_t image = 0; image < images.size(); ++image, row += classes) {
    results.push_back(best_classes(row, classes, top_k));
  }
  return results;
}

Array Network::run_images(const std::vector<Array>& images, Output output, Team& team) const {
  return run(gather(images).view(), output, team);
}

Array Network::gather(const std::vector<Array>& images) const {
  const int64_t side = transform_.input_size;
  const std::vector<int64_t> shape = {side, side, 3};
  for (const Array& image : images) {
    if (image.dtype == DType::uint8 && image.shape == shape) continue;
    throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "The image is not prepared for this model",
                std::string(name_of(image.dtype)) + " " + text_of(image.shape), "uint8 " + text_of(shape));
  }
  Array batch{DType::uint8, {static_cast<int64_t>(images.size()), side, side, 3}, nullptr};
  // One image is a batch already.
  if (images.size() == 1) {
    batch.memory = images[0].memory;
    return batch;
  }
  const size_t bytes = byte_count(DType::uint8, shape);
  batch.memory = std::make_shared<Buffer>(bytes * images.size());
  std::byte* out = batch.memory->data();
  for (const Array& image : images) {
    std::memcpy(out, image.memory->data(), bytes);
    out += bytes;
  }
  return batch;
}

std::map<std::string, Array> Network::state(StateForm form) const {
  std::map<std::string, Array> arrays;
  guard([&] {
    if (form == StateForm::deployed) {
      for (const auto& [name, tensor] : deployed_state(*weights_->net)) arrays[name] = copy_out(tensor);
      return;
    }
    for (const auto& item : weights_->net->named_parameters()) arrays[item.key()] = copy_out(item.value());
    for (const auto& item : weights_->net->named_buffers()) arrays[item.key()] = copy_out(item.value());
  });
  return arrays;
}

}  // namespace ghostnet
