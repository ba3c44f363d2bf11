#include "training/trainer.h"

#include <ATen/CPUGeneratorImpl.h>
#include <torch/torch.h>

#include <cmath>
#include <optional>
#include <utility>

#include "base/error.h"
#include "model/infer.h"
#include "modules/ghostnet.h"
#include "runtime/guard.h"
#include "runtime/openmp_threads.h"
#include "runtime/tensor_bridge.h"
#include "training/augmentation.h"
#include "training/average.h"
#include "training/mixing.h"
#include "training/optimizer.h"

namespace ghostnet {

namespace {

constexpr auto kModel = "model.";
constexpr auto kAverage = "average.";
constexpr auto kOptimizer = "optimizer.";

/** The arrays whose names begin with the prefix, without it. */
Trainer::State part_of(const Trainer::State& state, const std::string& prefix) {
  Trainer::State part;
  for (const auto& [name, array] : state) {
    if (name.starts_with(prefix)) part.emplace(name.substr(prefix.size()), array);
  }
  return part;
}

/** A copy in our own memory, of the tensor's dtype. */
Array exact_copy(const torch::Tensor& tensor) {
  if (tensor.scalar_type() != torch::kFloat64) return copy_out(tensor);
  Array array{DType::float64, tensor.sizes().vec(), nullptr};
  array.memory = std::make_shared<Buffer>(byte_count(array.dtype, array.shape));
  const torch::NoGradGuard no_grad;
  borrow(array.view()).copy_(tensor);
  return array;
}

// A convolution over channels-last memory is faster, forwards and backwards.
void lay_out(GhostNetImpl& net, torch::ScalarType dtype) {
  const torch::NoGradGuard no_grad;
  const auto change = [&](torch::Tensor& tensor) {
    if (!tensor.is_floating_point()) return;
    torch::Tensor changed = tensor.detach().to(dtype);
    if (changed.dim() == 4) changed = changed.contiguous(at::MemoryFormat::ChannelsLast);
    tensor.set_data(changed);
  };
  for (torch::Tensor& parameter : net.parameters()) change(parameter);
  for (torch::Tensor& buffer : net.buffers()) change(buffer);
}

/** What the shapes say, and an architecture that fits them; a classifier that is missing is added. */
void complete(Architecture& architecture, const Trainer::State& arrays) {
  Shapes shapes;
  for (const auto& [name, array] : arrays) shapes[name] = array.shape;
  architecture.design = see_design(shapes);
  architecture.form = see_form(shapes);
  if (architecture.form == Form::deployed) {
    throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT,
                "The branches of the network are folded, so it cannot be trained", "deployed weights",
                "the weights with their branches and batch normalisations");
  }
  if (!shapes.contains("classifier.weight")) {
    shapes["classifier.weight"] = {architecture.num_classes, kFeatureChannels};
    shapes["classifier.bias"] = {architecture.num_classes};
  }
  check_parameters(architecture, shapes);
}

class TorchTrainer : public Trainer {
 public:
  TorchTrainer(const State& state, const Architecture& architecture, const Transform& transform,
               const TrainingSettings& settings)
      : net_(make_ghostnet(architecture, settings.seed)), transform_(transform), settings_(settings) {
    lay_out(*net_, dtype());
    fill(*net_, part_of(state, kModel));
    optimizer_.emplace(*net_, settings);
    NamedTensors memory;
    for (const auto& [name, array] : part_of(state, kOptimizer)) memory[name] = borrow(array);
    optimizer_->restore(memory);
    if (settings.average > 0) {
      average_.emplace(*net_, settings.average);
      average_->restore(part_of(state, kAverage));
    }
  }

  StepResult step(const Batch& batch) override {
    check(batch);
    StepResult result{};
    guard([&] {
      const OpenMpThreads openmp(settings_.threads);
      result = step_checked(batch);
    });
    return result;
  }

  Array order(int64_t epoch, int64_t count) const override {
    Array order;
    guard([&] {
      const at::Generator generator =
          at::detail::createCPUGenerator(seed_of(settings_.seed, Draw::order, static_cast<uint64_t>(epoch)));
      order = copy_out(torch::randperm(count, generator, torch::kInt64));
    });
    return order;
  }

  std::map<std::string, Array> weights() const override {
    std::map<std::string, Array> arrays;
    guard([&] {
      for (const auto& [name, tensor] : average_ ? average_->values() : values())
        arrays[name] = copy_out(tensor);
    });
    return arrays;
  }

  std::map<std::string, Array> state() const override {
    std::map<std::string, Array> arrays;
    guard([&] {
      const auto add = [&](const char* prefix, const NamedTensors& tensors) {
        for (const auto& [name, tensor] : tensors) arrays[prefix + name] = exact_copy(tensor);
      };
      add(kModel, values());
      if (average_) add(kAverage, average_->values());
      add(kOptimizer, optimizer_->state());
    });
    return arrays;
  }

  int64_t bytes() const override {
    int64_t bytes = 0;
    for (const auto& [name, tensor] : values()) bytes += static_cast<int64_t>(tensor.nbytes());
    // Gradients, the average, and one or two moments.
    const int copies = 2 + (average_ ? 1 : 0) + (settings_.optimizer == OptimizerKind::adamw ? 2 : 1);
    return bytes * copies;
  }

 private:
  torch::ScalarType dtype() const {
    return settings_.dtype == DType::float64 ? torch::kFloat64 : torch::kFloat32;
  }

  int64_t classes() const { return net_->architecture().num_classes; }

  NamedTensors values() const {
    NamedTensors tensors;
    for (const auto& item : net_->named_parameters()) tensors[item.key()] = item.value();
    for (const auto& item : net_->named_buffers()) tensors[item.key()] = item.value();
    return tensors;
  }

  void check(const Batch& batch) const {
    const auto& shape = batch.pixels.shape;
    if (batch.pixels.dtype != DType::uint8) {
      throw Error(ErrorCode::GHOSTNET_BAD_DTYPE, "The pictures of a step have the wrong dtype",
                  name_of(batch.pixels.dtype), "uint8");
    }
    const size_t count = batch.labels.size();
    if (count < 2 || batch.samples.size() != count || shape.size() != 4 ||
        shape[0] != static_cast<int64_t>(count) || shape[1] != shape[2] || shape[1] < transform_.input_size ||
        shape[3] != 3) {
      throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "The pictures of a step have the wrong shape",
                  text_of(shape),
                  "[N,S,S,3] with N of at least 2 labels, and S of at least " +
                      std::to_string(transform_.input_size));
    }
    for (const int64_t label : batch.labels) {
      if (label >= 0 && label < classes()) continue;
      throw Error(ErrorCode::GHOSTNET_INVALID_ARGUMENT, "A label is no class of the network",
                  std::to_string(label), "a whole number below " + std::to_string(classes()));
    }
  }

  StepResult step_checked(const Batch& batch) {
    const Examples examples = mixed({augment({borrow(batch.pixels.view()), batch.samples, batch.epoch},
                                             settings_.augmentation, transform_, settings_.seed, dtype()),
                                     torch::tensor(batch.labels, torch::kInt64)},
                                    settings_.augmentation, classes(),
                                    seed_of(settings_.seed, Draw::mixing, static_cast<uint64_t>(batch.step)));
    net_->train(!batch.is_frozen);
    optimizer_->clear();
    torch::Tensor features;
    {
      const torch::AutoGradMode recording(!batch.is_frozen);
      features = net_->features(examples.inputs);
    }
    const torch::Tensor logits = net_->classifier(dropped(features, batch.step));
    const torch::Tensor loss = at::cross_entropy_loss(logits, examples.targets, {}, at::Reduction::Mean, -100,
                                                      settings_.label_smoothing);
    const StepResult result{loss.item<double>(), settings_.schedule.rate(batch.step)};
    if (!std::isfinite(result.loss)) return result;
    loss.backward();
    optimizer_->step(result.rate, settings_.gradient_norm);
    if (average_) average_->update(batch.step);
    return result;
  }

  // As torch::dropout, with a generator of its own: that of the process serves others, too.
  torch::Tensor dropped(const torch::Tensor& features, int64_t step) const {
    const double share = net_->architecture().dropout;
    if (share <= 0) return features;
    const at::Generator generator =
        at::detail::createCPUGenerator(seed_of(settings_.seed, Draw::dropout, static_cast<uint64_t>(step)));
    return features * torch::empty_like(features).bernoulli_(1 - share, generator).div_(1 - share);
  }

  GhostNet net_;
  Transform transform_;
  TrainingSettings settings_;
  std::optional<Optimizer> optimizer_;
  std::optional<Average> average_;
};

}  // namespace

std::shared_ptr<Trainer> Trainer::make(const State& state, Architecture architecture,
                                       const Transform& transform, const TrainingSettings& settings) {
  validate(transform);
  validate(settings);
  complete(architecture, part_of(state, kModel));
  std::shared_ptr<Trainer> trainer;
  guard([&] { trainer = std::make_shared<TorchTrainer>(state, architecture, transform, settings); });
  return trainer;
}

}  // namespace ghostnet
