/** Networks, inputs and comparisons for tests of engines. */
#pragma once

#include <cstring>
#include <random>

#include "base/array.h"
#include "engine/runner.h"
#include "image/transform.h"
#include "modules/ghostnet.h"

namespace ghostnet {

/** Weights with which every layer matters: the values of a new network, with statistics other than 0 and 1.
 */
inline GhostNet random_network(const Architecture& architecture, uint64_t seed) {
  GhostNet net = make_ghostnet(architecture, seed);
  torch::manual_seed(seed);
  const torch::NoGradGuard no_grad;
  for (auto& item : net->named_buffers()) {
    if (item.key().ends_with("running_mean")) item.value().normal_(0, 0.2);
    if (item.key().ends_with("running_var")) item.value().uniform_(0.3, 1.5);
  }
  for (auto& item : net->named_parameters()) {
    // The sum of some branches is about as large as one filter, and RepGhost has twice as many in a row.
    const bool is_branch = item.key().find("_rpr_") != std::string::npos;
    const bool is_deep = architecture.design == Design::repghost;
    if (item.value().dim() == 4 && !is_branch) item.value().mul_(is_deep ? 1.25 : 2);
    if (item.value().dim() == 1) item.value().add_(torch::randn_like(item.value()).mul_(0.2));
  }
  return net;
}

class Random {
 public:
  explicit Random(uint64_t seed) : engine_(seed) {}
  int64_t between(int64_t low, int64_t high) {
    return std::uniform_int_distribution<int64_t>(low, high)(engine_);
  }
  template <typename T>
  T of(std::initializer_list<T> values) {
    return values.begin()[between(0, static_cast<int64_t>(values.size()) - 1)];
  }

 private:
  std::mt19937_64 engine_;
};

inline Architecture random_architecture(Random& random) {
  Architecture architecture;
  architecture.width = random.of({0.3, 0.5, 1.0, 1.3});
  architecture.num_classes = random.between(1, 70);
  architecture.design =
      random.of({Design::ghostnet, Design::ghostnet, Design::ghostnet, Design::repghost, Design::first_code});
  architecture.form = random.of({Form::norms, Form::norms, Form::branches, Form::deployed});
  if (architecture.design == Design::first_code) architecture.form = Form::norms;
  if (architecture.design == Design::repghost)
    architecture.form = random.of({Form::branches, Form::deployed});
  int halvings = 1;
  for (int64_t stage = random.between(1, 4); stage > 0; --stage) {
    auto& rows = architecture.stages.emplace_back();
    for (int64_t row = random.between(1, 2); row > 0; --row) {
      rows.push_back({random.of<int64_t>({1, 3, 3, 5, 5, 7}), random.between(1, 90), random.between(1, 60),
                      random.of({0., 0., 0.25, 0.5}), random.between(1, 2)});
      // After more halvings, an attention would need a larger input.
      rows.back().attention =
          architecture.design == Design::ghostnet && halvings <= 4 && random.between(0, 1) == 1;
      if (rows.back().stride == 2) ++halvings;
    }
  }
  return architecture;
}

struct Batch {
  torch::Tensor values;  ///< normalised, [N,3,H,W]
  torch::Tensor given;   ///< as passed to the engine

  ArrayView view() const {
    return {given.scalar_type() == torch::kByte ? DType::uint8 : DType::float32, given.sizes().vec(),
            given.data_ptr()};
  }
  /** One image of it. */
  Batch image(int64_t index) const {
    return {values.narrow(0, index, 1), given.narrow(0, index, 1).contiguous()};
  }
};

inline Batch random_input(bool bytes, int64_t batch, int64_t height, int64_t width) {
  if (!bytes) {
    const torch::Tensor values = torch::randn({batch, 3, height, width});
    return {values, values};
  }
  const Transform transform;
  const torch::Tensor given = torch::randint(0, 256, {batch, height, width, 3}, torch::kByte);
  const auto channels = [](const std::array<double, 3>& v) { return torch::tensor({v[0], v[1], v[2]}); };
  const torch::Tensor values =
      (given.to(torch::kFloat64) / 255 - channels(transform.mean)) / channels(transform.std);
  return {values.to(torch::kFloat32).permute({0, 3, 1, 2}), given};
}

/** The output of the modules in float64, where rounding does not matter. Afterwards they are float32 again.
 */
inline torch::Tensor expected_of(GhostNet& net, const Batch& input, Output output) {
  net->to(torch::kFloat64);
  const torch::Tensor values = input.values.to(torch::kFloat64);
  const torch::Tensor result = output == Output::logits ? net->forward(values) : net->features(values);
  net->to(torch::kFloat32);
  return result;
}

/** The output of the modules in bfloat16. */
inline torch::Tensor in_bfloat16(const GhostNet& net, const Batch& input, Output output) {
  GhostNet copy(net->architecture());
  const auto fill = [](const auto& from, auto to) {
    for (const auto& item : from) to[item.key()].copy_(item.value());
  };
  fill(net->named_parameters(), copy->named_parameters());
  fill(net->named_buffers(), copy->named_buffers());
  copy->to(torch::kBFloat16);
  const torch::Tensor values = input.values.to(torch::kBFloat16);
  return (output == Output::logits ? copy->forward(values) : copy->features(values)).to(torch::kFloat64);
}

inline double relative_error(const torch::Tensor& actual, const torch::Tensor& expected) {
  return ((actual - expected).abs().max() / expected.abs().max()).item<double>();
}

inline bool same_bits(const torch::Tensor& a, const torch::Tensor& b) {
  const torch::Tensor x = a.contiguous();
  const torch::Tensor y = b.contiguous();
  return x.sizes() == y.sizes() && std::memcmp(x.data_ptr(), y.data_ptr(), x.nbytes()) == 0;
}

}  // namespace ghostnet
