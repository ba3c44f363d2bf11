#include "engine/cuda/gpus.h"

#include <dlfcn.h>

#include <map>
#include <mutex>

#include "base/error.h"

namespace ghostnet::cuda {

namespace {

/** Never closed, and never destroyed: CUDA tears itself down at exit, in its own order. */
struct Opened {
  std::mutex mutex;
  const Library* library = nullptr;
  std::map<int, std::shared_ptr<Device>> devices;
};

Opened& opened() {
  static auto* state = new Opened();
  return *state;
}

const Library& open_library(const std::string& path) {
  if (path.empty()) {
    throw Error(ErrorCode::GHOSTNET_CUDA_NOT_INSTALLED, "This installation has no GPU library");
  }
  void* const handle = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const char* const reason = dlerror();
    throw Error(ErrorCode::GHOSTNET_CUDA_NOT_INSTALLED, "The GPU library cannot be opened",
                reason == nullptr ? path : reason);
  }
  const auto* library = static_cast<const Library*>(dlsym(handle, kLibrarySymbol));
  if (library == nullptr || library->interface != kInterface) {
    throw Error(ErrorCode::GHOSTNET_CUDA_NOT_INSTALLED, "The GPU library has the wrong version", path,
                "the GPU library built with this version");
  }
  return *library;
}

}  // namespace

std::vector<Gpu> list_gpus(const std::string& path) {
  Opened& state = opened();
  const std::lock_guard lock(state.mutex);
  if (state.library == nullptr) state.library = &open_library(path);
  return state.library->list();
}

std::shared_ptr<Device> open_gpu(int index) {
  Opened& state = opened();
  const std::lock_guard lock(state.mutex);
  if (state.library == nullptr) {
    throw Error(ErrorCode::GHOSTNET_CUDA_NOT_INSTALLED, "The GPU library is not open");
  }
  std::shared_ptr<Device>& device = state.devices[index];
  if (device != nullptr) return device;
  const std::vector<Gpu> gpus = state.library->list();
  if (index < 0 || static_cast<size_t>(index) >= gpus.size()) {
    throw Error(ErrorCode::GHOSTNET_CUDA_UNAVAILABLE, "There is no GPU cuda:" + std::to_string(index),
                std::to_string(gpus.size()) + (gpus.size() == 1 ? " GPU" : " GPUs"),
                "cuda:0 to cuda:" + std::to_string(gpus.size() - 1));
  }
  const Gpu& gpu = gpus[static_cast<size_t>(index)];
  if (gpu.major < kLeastMajor) {
    throw Error(
        ErrorCode::GHOSTNET_CUDA_UNSUPPORTED, "The GPU is too old for the kernels",
        gpu.name + " of compute capability " + std::to_string(gpu.major) + "." + std::to_string(gpu.minor),
        "compute capability " + std::to_string(kLeastMajor) + ".0 or later");
  }
  device = state.library->open(index);
  return device;
}

}  // namespace ghostnet::cuda
