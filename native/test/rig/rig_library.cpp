// A GPU library whose GPUs are simulated on this CPU, for tests from JavaScript. GHOSTNET_RIG_GPUS lists
// their compute capabilities, for example "9.0,7.5"; without it there are none. With GHOSTNET_RIG_FAILS they
// fail.
#include <cstdlib>
#include <sstream>

#include "base/error.h"
#include "engine/cuda/library.h"
#include "rig_device.h"

namespace ghostnet::cuda_on_cpu {
namespace {

std::vector<cuda::Gpu> list() {
  const char* const wanted = std::getenv("GHOSTNET_RIG_GPUS");
  std::vector<cuda::Gpu> gpus;
  std::istringstream text(wanted == nullptr ? "" : wanted);
  for (std::string capability; std::getline(text, capability, ',');) {
    cuda::Gpu gpu;
    gpu.name = "This CPU";
    gpu.major = std::atoi(capability.c_str());
    gpu.minor = std::atoi(capability.c_str() + capability.find('.') + 1);
    gpu.memory = int64_t{1} << 30;
    gpus.push_back(gpu);
  }
  if (gpus.empty()) {
    throw Error(ErrorCode::GHOSTNET_CUDA_UNAVAILABLE, "There is no NVIDIA driver", "no GHOSTNET_RIG_GPUS");
  }
  return gpus;
}

/** Fails in the wait for a run. */
class FailingDevice : public RigDevice {
 public:
  using RigDevice::synchronize;
  void synchronize(cuda::Event&) override {
    throw Error(ErrorCode::GHOSTNET_CUDA_FAILED, "The GPU failed", "GHOSTNET_RIG_FAILS");
  }
};

std::unique_ptr<cuda::Device> open(int) {
  if (std::getenv("GHOSTNET_RIG_FAILS") != nullptr) return std::make_unique<FailingDevice>();
  return std::make_unique<RigDevice>();
}

}  // namespace
}  // namespace ghostnet::cuda_on_cpu

extern "C" __attribute__((visibility("default"))) const ghostnet::cuda::Library ghostnet_cuda_library;
const ghostnet::cuda::Library ghostnet_cuda_library = {
    ghostnet::cuda::kInterface, ghostnet::cuda_on_cpu::list, ghostnet::cuda_on_cpu::open};
