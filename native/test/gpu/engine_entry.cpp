// torch.classes.ghostnet_engine_test.Network: the GPU engine for Python, and the modules that it must match.
#include <torch/custom_class.h>
#include <torch/library.h>

#include <map>

#include "engine/cuda/cuda_engine.h"
#include "engine/cuda/gpus.h"
#include "model/variant.h"
#include "runtime/fold.h"
#include "test/network/network_cases.h"

namespace ghostnet {
namespace {

Precision precision_of(const std::string& name) {
  for (const Precision precision : kPrecisions) {
    if (name == name_of(precision)) return precision;
  }
  TORCH_CHECK(false, "no precision ", name);
}

Output output_of(bool features) { return features ? Output::features : Output::logits; }

/**
 * Random weights with which every layer matters. The normalisations have the statistics of their inputs, as
 * in a trained network, so that neither values nor rounding errors grow from layer to layer.
 */
GhostNet settled_network(const Architecture& architecture, uint64_t seed) {
  const torch::NoGradGuard no_grad;
  GhostNet net = random_network(architecture, seed);
  for (const auto& module : net->modules()) {
    if (auto* const norm = module->as<torch::nn::BatchNorm2d>()) norm->options.momentum(1.);
  }
  net->train();
  net->features(random_input(true, 4, 128, 128).values);
  net->eval();
  return net;
}

class Network : public torch::CustomClassHolder {
 public:
  /** @param library path of the GPU library */
  Network(const std::string& variant, int64_t seed, const std::string& library)
      : net_(settled_network(*find_variant(variant), static_cast<uint64_t>(seed))) {
    cuda::list_gpus(library);
  }

  /** Puts the network on the first GPU. @param path measured, fused or in_two */
  void open(const std::string& dtype, const std::string& path, bool graphs) {
    const cuda::GhostPath chosen = path == "measured" ? cuda::GhostPath::measured
                                   : path == "fused"  ? cuda::GhostPath::fused
                                                      : cuda::GhostPath::in_two;
    engine_ = std::make_unique<cuda::CudaEngine>(cuda::open_gpu(0), fold_network(*net_), precision_of(dtype),
                                                 cuda::CudaEngine::Options{chosen, graphs});
  }

  /** From host memory to host memory. @param input uint8 [N,H,W,3] or float32 [N,3,H,W], contiguous */
  torch::Tensor run(const torch::Tensor& input, bool features) {
    torch::Tensor result = torch::empty({input.size(0), engine_->columns(output_of(features))});
    Team alone;
    engine_->run({view_of(input), Transform{}, output_of(features), alone}, result.mutable_data_ptr<float>());
    return result;
  }

  /** The modules in float64, on the CPU. */
  torch::Tensor expected(const torch::Tensor& input, bool features) {
    const torch::NoGradGuard no_grad;
    const Transform transform;
    torch::Tensor values = input;
    if (input.scalar_type() == torch::kByte) {
      const auto channels = [](const std::array<double, 3>& v) { return torch::tensor({v[0], v[1], v[2]}); };
      values = ((input.to(torch::kFloat64) / 255 - channels(transform.mean)) / channels(transform.std))
                   .permute({0, 3, 1, 2});
    }
    return expected_of(net_, {values, input}, output_of(features));
  }

  c10::Dict<std::string, torch::Tensor> state() {
    c10::Dict<std::string, torch::Tensor> state;
    for (const auto& item : net_->named_parameters()) state.insert(item.key(), item.value().detach());
    for (const auto& item : net_->named_buffers()) state.insert(item.key(), item.value());
    return state;
  }

 private:
  static ArrayView view_of(const torch::Tensor& input) {
    TORCH_CHECK(input.is_contiguous() && input.is_cpu(), "the input is not contiguous in host memory");
    return {input.scalar_type() == torch::kByte ? DType::uint8 : DType::float32, input.sizes().vec(),
            input.const_data_ptr()};
  }

  GhostNet net_;
  std::unique_ptr<cuda::CudaEngine> engine_;
};

TORCH_LIBRARY(ghostnet_engine_test, library) {
  library.class_<Network>("Network")
      .def(torch::init<std::string, int64_t, std::string>())
      .def("open", &Network::open)
      .def("run", &Network::run)
      .def("expected", &Network::expected)
      .def("state", &Network::state);
}

}  // namespace
}  // namespace ghostnet
