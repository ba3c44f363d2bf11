// native/cuda_runtime over a strict model of the CUDA runtime.
#include "cuda_runtime/cuda_device.h"

#include <atomic>
#include <cstring>
#include <future>
#include <memory>

#include "cuda_model_test.h"
#include "engine/cuda/gpus.h"

namespace ghostnet {
namespace {

using cuda::Device;
using cuda::Memory;
using cuda::Stream;

const cuda::Gpu kOld = {"Old", 7, 5, int64_t{1} << 30}, kNew = {"New", 12, 0, int64_t{1} << 31};

TEST_F(CudaModel, ListsGpus) {
  cuda_model::reset({.gpus = {kOld, kNew}});
  const std::vector<cuda::Gpu> gpus = cuda::list_cuda_gpus();
  ASSERT_EQ(gpus.size(), 2u);
  EXPECT_EQ(gpus[0].name, "Old");
  EXPECT_EQ(gpus[1].name, "New");
  EXPECT_EQ(gpus[1].major, 12);
  EXPECT_EQ(gpus[1].minor, 0);
  EXPECT_EQ(gpus[1].memory, int64_t{1} << 31);
}

TEST_F(CudaModel, SaysWhyThereIsNoGpu) {
  const auto expect_unavailable = [](const cuda_model::Setup& setup, const char* what, const char* found) {
    cuda_model::reset(setup);
    const auto error = error_of([] { cuda::list_cuda_gpus(); });
    ASSERT_TRUE(error) << what;
    EXPECT_EQ(error->code(), ErrorCode::GHOSTNET_CUDA_UNAVAILABLE);
    EXPECT_STREQ(error->what(), what);
    EXPECT_EQ(error->found(), found);
    EXPECT_EQ(cudaGetLastError(), cudaSuccess);
  };
  const char* const insufficient = "cudaErrorInsufficientDriver: insufficient driver";
  expect_unavailable({.driver = 0}, "There is no NVIDIA driver", insufficient);
  expect_unavailable({.driver = 12080}, "The NVIDIA driver is too old", insufficient);
  expect_unavailable({.gpus = {}}, "There is no GPU", "cudaErrorNoDevice: no device");
}

TEST_F(CudaModel, OpensGpusOfTheListThatTheKernelsAreFor) {
  cuda_model::reset({.gpus = {kOld, kNew}});
  EXPECT_EQ(cuda::list_gpus(GHOSTNET_CUDA_MODEL).size(), 2u);
  const auto old = error_of([] { cuda::open_gpu(0); });
  ASSERT_TRUE(old);
  EXPECT_EQ(old->code(), ErrorCode::GHOSTNET_CUDA_UNSUPPORTED);
  EXPECT_EQ(old->found(), "Old of compute capability 7.5");
  for (const int index : {-1, 2}) {
    const auto missing = error_of([&] { cuda::open_gpu(index); });
    ASSERT_TRUE(missing);
    EXPECT_EQ(missing->code(), ErrorCode::GHOSTNET_CUDA_UNAVAILABLE);
    EXPECT_EQ(missing->found(), "2 GPUs");
  }
  std::shared_ptr<Device> opened;
  for (int call = 0; opened == nullptr; ++call) {
    cuda_model::fail(call, cudaErrorUnknown);
    const auto error = error_of([&] { opened = cuda::open_gpu(1); });
    if (cuda_model::failed_call() == "cudaGetDeviceCount") {
      EXPECT_EQ(error->code(), ErrorCode::GHOSTNET_CUDA_UNAVAILABLE);
    } else {
      expect_told(error, cudaErrorUnknown);
    }
    if (opened == nullptr) {
      EXPECT_EQ(cuda_model::left_over(), "") << cuda_model::failed_call();
    }
  }
  EXPECT_EQ(cuda::open_gpu(1), opened);
  expect_no_faults();
  cuda_model::reset({});  // it is open until the process ends
}

/** A kernel's launch that adds nothing to the sizes: the stand-in reads `from` and writes `to`. */
cuda::Calls launch_of(const std::byte* from, std::byte* to) {
  cuda::MeansCall call;
  call.x = from;
  call.out = reinterpret_cast<float*>(to);
  call.batch = 4;
  call.pixels = 8;
  call.channels = 8;
  return {call};
}
constexpr size_t kRead = 4 * 8 * 8 * 4, kWritten = 4 * 8 * 4;

/**
 * Everything that a device does, as the engine uses it.
 * @param before called before each step
 * @return the results
 */
std::vector<std::byte> use(int gpu, const std::function<void()>& before = [] {}) {
  const std::shared_ptr<Device> device = cuda::open_cuda_device(gpu);
  Memory staged(device, Memory::Kind::staging), input(device, Memory::Kind::device);
  Memory output(device, Memory::Kind::device), staged_output(device, Memory::Kind::staging);
  std::unique_ptr<cuda::Event> copied, computed, done;
  std::unique_ptr<cuda::LaunchGraph> graph;
  const std::function<void()> steps[] = {
      [&] { staged.reserve(kRead); },
      [&] { std::memset(staged.data(), 7, kRead); },
      [&] { input.reserve(kRead); },
      [&] { output.reserve(2 * kWritten); },
      [&] { staged_output.reserve(2 * kWritten); },
      [&] { copied = device->make_event(); },
      [&] { computed = device->make_event(); },
      [&] { done = device->make_event(); },
      [&] { device->copy(Stream::input, input.data(), staged.data(), kRead); },
      [&] { device->record(Stream::input, *copied); },
      [&] { device->wait(Stream::compute, *copied); },
      [&] { device->launch(Stream::compute, launch_of(input.data(), output.data())); },
      [&] { graph = device->record(launch_of(input.data(), output.data() + kWritten)); },
      [&] { device->launch(Stream::compute, *graph); },
      [&] { device->record(Stream::compute, *computed); },
      [&] { device->wait(Stream::output, *computed); },
      [&] { device->copy(Stream::output, staged_output.data(), output.data(), 2 * kWritten); },
      [&] { device->record(Stream::output, *done); },
      [&] { device->synchronize(*done); },
      [&] { device->synchronize(); },
  };
  try {
    for (const auto& step : steps) {
      before();
      step();
    }
  } catch (...) {
    settle(*device);
    throw;
  }
  return {staged_output.data(), staged_output.data() + 2 * kWritten};
}

TEST_F(CudaModel, DoesTheWorkOnTheGpuThatIsMeant) {
  cuda_model::reset({.gpus = {kNew, kNew}, .lag = 100});
  const std::vector<std::byte> result = use(1, [] { EXPECT_EQ(cudaSetDevice(0), cudaSuccess); });
  const auto half = result.begin() + kWritten;
  EXPECT_TRUE(std::equal(result.begin(), half, half));
  EXPECT_NE(result[0], std::byte{0xff});
  EXPECT_EQ(cuda_model::counts().launches, 2);
  EXPECT_EQ(cuda_model::counts().graph_launches, 1);
}

TEST_F(CudaModel, TellsEachCallThatFailsAndIsAsBefore) {
  const std::vector<std::byte> expected = use(0);
  for (const cudaError_t failure : {cudaErrorMemoryAllocation, cudaErrorLaunchFailure}) {
    int call = 0;
    for (;; ++call) {
      cuda_model::fail(call, failure);
      const auto error = error_of([] { EXPECT_EQ(use(0).size(), 2 * kWritten); });
      const std::string failed = cuda_model::failed_call();
      if (failed.empty()) break;
      expect_told(error, failure);
      EXPECT_EQ(cuda_model::left_over(), "") << failed;
      EXPECT_EQ(cudaGetLastError(), cudaSuccess) << failed;
      EXPECT_EQ(use(0), expected) << failed;
      if (HasFailure()) FAIL() << "call " << call << ", " << failed;
    }
    EXPECT_GT(call, 50);
  }
}

TEST_F(CudaModel, EndsWithAGpuThatHasFailedForGood) {
  for (int call = 0;; ++call) {
    cuda_model::reset({});
    cuda_model::fail(call, cudaErrorIllegalAddress, true);
    const auto error = error_of([] { use(0); });
    const std::string failed = cuda_model::failed_call();
    if (failed.empty()) break;
    expect_told(error, cudaErrorIllegalAddress);
    expect_told(error_of([] { use(0); }), cudaErrorIllegalAddress);
    expect_no_faults();
    if (HasFailure()) FAIL() << "call " << call << ", " << failed;
  }
}

TEST_F(CudaModel, WaitsForTheOtherStreamsWhenOneFails) {
  cuda_model::reset({.lag = 3000});
  const std::shared_ptr<Device> device = cuda::open_cuda_device(0);
  Memory memory(device, Memory::Kind::device), staged(device, Memory::Kind::staging);
  memory.reserve(2 * kRead);
  staged.reserve(kRead);
  std::memset(staged.data(), 7, kRead);
  for (int i = 0; i < 8; ++i) {
    device->copy(Stream::compute, memory.data(), staged.data(), kRead);
    device->copy(Stream::output, memory.data() + kRead, staged.data(), kRead);
  }
  cuda_model::fail(1, cudaErrorLaunchFailure);
  const auto error = error_of([&] { device->synchronize(); });
  EXPECT_TRUE(error);
  expect_told(error, cudaErrorLaunchFailure);
  EXPECT_EQ(cuda_model::failed_call(), "cudaStreamSynchronize");
}  // and the memory is released

TEST_F(CudaModel, RefusesWhatTheKernelsCanNotTake) {
  const auto device = cuda::open_cuda_device(0);
  cuda::DepthwiseCall call;
  call.batch = call.height = call.width = call.channels = 1;
  call.kernel_height = 2;
  for (const bool recorded : {false, true}) {
    const auto error = error_of([&] {
      if (recorded) {
        device->record({call});
      } else {
        device->launch(Stream::compute, {call});
      }
    });
    ASSERT_TRUE(error);
    EXPECT_EQ(error->code(), ErrorCode::GHOSTNET_BAD_SHAPE);
  }
  EXPECT_EQ(cuda_model::counts().launches, 0);
}

// Like the engines of several models, each on its own thread.
TEST_F(CudaModel, RecordsWhileOtherThreadsUseTheGpu) {
  cuda_model::reset({.lag = 50});
  const std::shared_ptr<Device> device = cuda::open_cuda_device(0);
  std::atomic<bool> ends = false;
  const auto record = [&] {
    Memory memory(device, Memory::Kind::device);
    memory.reserve(kRead + kWritten);
    while (!ends) device->record(launch_of(memory.data(), memory.data() + kRead));
  };
  const auto first = std::async(std::launch::async, record), second = std::async(std::launch::async, record);
  for (int i = 0; i < 50; ++i) {
    Memory memory(device, Memory::Kind::device), staged(device, Memory::Kind::staging);
    memory.reserve(kRead + kWritten);
    staged.reserve(kRead);
    std::memset(staged.data(), i, kRead);
    device->copy(Stream::compute, memory.data(), staged.data(), kRead);
    device->launch(Stream::compute, launch_of(memory.data(), memory.data() + kRead));
    device->synchronize();
  }
  ends = true;
}

/** A stream, an event and memory of GPU 0, taken from the runtime itself. */
struct Things {
  Things() {
    cudaSetDevice(0);
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    cudaEventCreateWithFlags(&event, cudaEventDisableTiming);
    cudaMalloc(&memory, 64);
    cudaMallocHost(&staged, 64);
  }
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
  void* memory = nullptr;
  void* staged = nullptr;
};

// A model that accepts everything would prove nothing.
TEST(CudaModelItself, SeesWhatIsAgainstTheRules) {
  const auto expect_fault = [](const std::string& fault, const std::function<void(Things&)>& work) {
    cuda_model::reset({.gpus = {kNew, kNew}});
    Things things;
    EXPECT_TRUE(cuda_model::faults().empty());
    work(things);
    const std::vector<std::string> faults = cuda_model::faults();
    EXPECT_EQ(faults, std::vector<std::string>{fault});
    EXPECT_NE(cuda_model::left_over(), "");
    cuda_model::reset({});
  };
  char of_host[64] = {};
  const auto copy = [](const Things& it, void* to, const void* from, size_t bytes) {
    EXPECT_EQ(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, it.stream), cudaErrorInvalidValue);
  };
  expect_fault("a copy of memory that is neither the GPU's nor page-locked",
               [&](Things& it) { copy(it, it.memory, of_host, 64); });
  expect_fault("a copy of memory that is neither the GPU's nor page-locked",
               [&](Things& it) { copy(it, it.memory, it.staged, 65); });
  expect_fault("a copy that has nothing to do with the GPU",
               [&](Things& it) { copy(it, it.staged, it.staged, 64); });
  expect_fault("a stream of another GPU than the thread's", [](Things& it) {
    cudaSetDevice(1);
    cudaMemcpyAsync(it.memory, it.staged, 64, cudaMemcpyDefault, it.stream);
  });
  expect_fault("an event of another GPU than the thread's", [](Things& it) {
    cudaSetDevice(1);
    cudaStream_t stream = nullptr;
    cudaStreamCreateWithFlags(&stream, cudaStreamNonBlocking);
    cudaEventRecord(it.event, stream);
  });
  expect_fault("a wait for an event that was not recorded",
               [](Things& it) { cudaStreamWaitEvent(it.stream, it.event, 0); });
  expect_fault("a wait for an event that was not recorded",
               [](Things& it) { cudaEventSynchronize(it.event); });
  expect_fault("a stream that does not exist", [](Things& it) {
    cudaStreamDestroy(it.stream);
    cudaEventRecord(it.event, it.stream);
  });
  expect_fault("an event that does not exist", [](Things& it) {
    cudaEventDestroy(it.event);
    cudaEventDestroy(it.event);
  });
  expect_fault("memory released that was not allocated that way",
               [](Things& it) { cudaFreeHost(it.memory); });
  expect_fault("memory released while a stream still uses it", [](Things& it) {
    std::promise<void> gate;
    cuda_model::launch_kernel(it.stream, [&] { gate.get_future().wait(); }, {});
    cudaMemcpyAsync(it.memory, it.staged, 64, cudaMemcpyDefault, it.stream);
    cudaFree(it.memory);
    gate.set_value();
    cudaStreamSynchronize(it.stream);
  });
  const cuda_model::Bytes nowhere(reinterpret_cast<const std::byte*>(of_host), 64);
  expect_fault("a kernel that accesses memory other than the GPU's",
               [&](Things& it) { cuda_model::launch_kernel(it.stream, [] {}, {nowhere}); });

  const auto begin = [](Things& it) {
    EXPECT_EQ(cudaStreamBeginCapture(it.stream, cudaStreamCaptureModeThreadLocal), cudaSuccess);
  };
  expect_fault("cudaMalloc by a thread that records", [&](Things& it) {
    begin(it);
    void* memory = nullptr;
    EXPECT_EQ(cudaMalloc(&memory, 64), cudaErrorStreamCaptureUnsupported);
  });
  expect_fault("cudaStreamSynchronize by a thread that records", [&](Things& it) {
    begin(it);
    cudaStreamSynchronize(it.stream);
  });
  expect_fault("a launch into the recording of another thread", [&](Things& it) {
    begin(it);
    std::async(std::launch::async, [&] { cuda_model::launch_kernel(it.stream, [] {}, {}); }).get();
  });
  expect_fault("a copy into a recording", [&](Things& it) {
    begin(it);
    std::async(std::launch::async, [&] {
      cudaMemcpyAsync(it.memory, it.staged, 64, cudaMemcpyDefault, it.stream);
    }).get();
  });
  expect_fault("the end of a recording that this thread has not begun", [&](Things& it) {
    begin(it);
    cudaGraph_t graph = nullptr;
    std::async(std::launch::async, [&] { cudaStreamEndCapture(it.stream, &graph); }).get();
  });
  expect_fault("a graph that accesses released memory", [&](Things& it) {
    begin(it);
    const cuda_model::Bytes bytes(static_cast<const std::byte*>(it.memory), 64);
    cuda_model::launch_kernel(it.stream, [] {}, {bytes});
    cudaGraph_t graph = nullptr;
    cudaStreamEndCapture(it.stream, &graph);
    cudaGraphExec_t executable = nullptr;
    cudaGraphInstantiate(&executable, graph, 0);
    cudaFree(it.memory);
    cudaGraphLaunch(executable, it.stream);
  });
}

}  // namespace
}  // namespace ghostnet
