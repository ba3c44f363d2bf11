#include "cuda_runtime/cuda_device.h"

#include <cuda_runtime_api.h>

#include <mutex>

#include "base/error.h"

namespace ghostnet::cuda {

namespace {

std::string words_of(cudaError_t error) {
  return std::string(cudaGetErrorName(error)) + ": " + cudaGetErrorString(error);
}

void check(cudaError_t error, const char* what) {
  if (error == cudaSuccess) return;
  static_cast<void>(cudaGetLastError());  // clears the error, which is reported here
  throw Error(error == cudaErrorMemoryAllocation ? ErrorCode::GHOSTNET_OUT_OF_MEMORY
                                                 : ErrorCode::GHOSTNET_CUDA_FAILED,
              what, words_of(error));
}

/** Makes a GPU the current device of this thread. */
void choose(int index) { check(cudaSetDevice(index), "The GPU cannot be used"); }

/**
 * Releases a handle and ignores errors, which may come from an earlier failure. They are cleared, so that the
 * next launch does not report them.
 */
template <class Handle>
void release(int device, cudaError_t (*give_back)(Handle), Handle handle) noexcept {
  static_cast<void>(cudaSetDevice(device));
  static_cast<void>(give_back(handle));
  static_cast<void>(cudaGetLastError());
}

/** A handle of the CUDA runtime, released with its owner. */
template <class Handle, cudaError_t (*give_back)(Handle)>
class Owned {
 public:
  Owned(int device, Handle handle) : device_(device), handle_(handle) {}
  ~Owned() { release(device_, give_back, handle_); }
  Owned(const Owned&) = delete;
  Owned& operator=(const Owned&) = delete;

  Handle get() const { return handle_; }

 private:
  int device_;
  Handle handle_;
};

using OwnedStream = Owned<cudaStream_t, cudaStreamDestroy>;

OwnedStream make_stream(int device) {
  choose(device);
  cudaStream_t stream = nullptr;
  check(cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking), "Creating a stream failed");
  return {device, stream};
}

struct CudaEvent : Event {
  CudaEvent(int device, cudaEvent_t made) : event(device, made) {}
  const Owned<cudaEvent_t, cudaEventDestroy> event;
};

struct CudaGraph : LaunchGraph {
  CudaGraph(int device, cudaGraphExec_t made) : graph(device, made) {}
  const Owned<cudaGraphExec_t, cudaGraphExecDestroy> graph;
};

cudaEvent_t of(Event& event) { return static_cast<CudaEvent&>(event).event.get(); }

class CudaDevice : public Device {
 public:
  explicit CudaDevice(int index)
      : index_(index),
        streams_{make_stream(index), make_stream(index), make_stream(index)},
        recording_(make_stream(index)) {}

  std::byte* allocate(size_t bytes) override {
    choose(index_);
    void* memory = nullptr;
    check(cudaMalloc(&memory, bytes), "The GPU is out of memory");
    return static_cast<std::byte*>(memory);
  }
  void free(std::byte* memory) noexcept override { release<void*>(index_, cudaFree, memory); }
  std::byte* allocate_staging(size_t bytes) override {
    choose(index_);
    void* memory = nullptr;
    check(cudaMallocHost(&memory, bytes), "Not enough page-locked memory");
    return static_cast<std::byte*>(memory);
  }
  void free_staging(std::byte* memory) noexcept override { release<void*>(index_, cudaFreeHost, memory); }

  void copy(Stream stream, std::byte* to, const std::byte* from, size_t bytes) override {
    choose(index_);
    check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, get(stream)),
          "Copying to or from the GPU failed");
  }
  void launch(Stream stream, const Calls& calls) override {
    choose(index_);
    launch_all(calls, get(stream));
  }

  std::unique_ptr<LaunchGraph> record(const Calls& calls) override {
    const std::lock_guard lock(recording_mutex_);
    choose(index_);
    // Thread-local, so that other threads do not disturb the recording.
    check(cudaStreamBeginCapture(recording_.get(), cudaStreamCaptureModeThreadLocal),
          "Recording a graph failed");
    cudaGraph_t recorded = nullptr;
    try {
      launch_all(calls, recording_.get());
    } catch (...) {
      if (cudaStreamEndCapture(recording_.get(), &recorded) == cudaSuccess) cudaGraphDestroy(recorded);
      static_cast<void>(cudaGetLastError());
      throw;
    }
    check(cudaStreamEndCapture(recording_.get(), &recorded), "Recording a graph failed");
    cudaGraphExec_t graph = nullptr;
    const cudaError_t error = cudaGraphInstantiate(&graph, recorded, 0);
    release(index_, cudaGraphDestroy, recorded);
    check(error, "Recording a graph failed");
    return std::make_unique<CudaGraph>(index_, graph);
  }
  void launch(Stream stream, LaunchGraph& graph) override {
    choose(index_);
    check(cudaGraphLaunch(static_cast<CudaGraph&>(graph).graph.get(), get(stream)),
          "Launching a graph failed");
  }

  std::unique_ptr<Event> make_event() override {
    choose(index_);
    cudaEvent_t event = nullptr;
    // A thread that waits for the event sleeps, which leaves the processor free to decode images.
    check(cudaEventCreateWithFlags(&event, cudaEventDisableTiming | cudaEventBlockingSync),
          "Creating an event failed");
    return std::make_unique<CudaEvent>(index_, event);
  }
  void record(Stream stream, Event& event) override {
    choose(index_);
    check(cudaEventRecord(of(event), get(stream)), "Recording an event failed");
  }
  void wait(Stream stream, Event& event) override {
    choose(index_);
    check(cudaStreamWaitEvent(get(stream), of(event), 0), "Waiting for an event failed");
  }
  void synchronize(Event& event) override {
    choose(index_);
    check(cudaEventSynchronize(of(event)), "The GPU failed");
  }
  void synchronize() override {
    choose(index_);
    // Synchronises all streams even if one fails, because the caller then frees memory that they use.
    cudaError_t first = cudaSuccess;
    for (const OwnedStream& stream : streams_) {
      const cudaError_t error = cudaStreamSynchronize(stream.get());
      if (first == cudaSuccess) first = error;
    }
    check(first, "The GPU failed");
  }

 private:
  cudaStream_t get(Stream stream) const { return streams_[static_cast<size_t>(stream)].get(); }

  static void launch_all(const Calls& calls, cudaStream_t stream) {
    for (const Call& call : calls) {
      const LaunchResult result = cuda::launch(call, stream);
      if (result.status == Launch::unsupported) {
        throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "The GPU kernels cannot take a batch of this shape", {},
                    "smaller batches, and images whose activations take less than 2 GiB");
      }
      if (result.status == Launch::failed) {
        check(static_cast<cudaError_t>(result.error), "Launching a kernel failed");
      }
    }
  }

  int index_;
  OwnedStream streams_[3];
  std::mutex recording_mutex_;
  OwnedStream recording_;
};

}  // namespace

std::vector<Gpu> list_cuda_gpus() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error != cudaSuccess || count == 0) {
    int driver = 0;
    const bool none = cudaDriverGetVersion(&driver) != cudaSuccess || driver == 0;
    static_cast<void>(cudaGetLastError());
    const bool old = error == cudaErrorInsufficientDriver;
    throw Error(
        ErrorCode::GHOSTNET_CUDA_UNAVAILABLE,
        none  ? "There is no NVIDIA driver"
        : old ? "The NVIDIA driver is too old"
              : "There is no GPU",
        error == cudaSuccess ? "a driver without a GPU" : words_of(error),
        "a driver for CUDA " + std::to_string(CUDART_VERSION / 1000) + " or later, and a visible GPU");
  }
  std::vector<Gpu> gpus;
  for (int index = 0; index < count; ++index) {
    cudaDeviceProp properties;
    check(cudaGetDeviceProperties(&properties, index), "Reading the properties of the GPU failed");
    gpus.push_back({properties.name, properties.major, properties.minor,
                    static_cast<int64_t>(properties.totalGlobalMem)});
  }
  return gpus;
}

std::unique_ptr<Device> open_cuda_device(int index) { return std::make_unique<CudaDevice>(index); }

}  // namespace ghostnet::cuda
