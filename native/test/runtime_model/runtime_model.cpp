#include "runtime_model.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <map>
#include <memory>
#include <mutex>
#include <utility>

using ghostnet::cuda_model::Bytes;
using ghostnet::cuda_model::Moment;
using ghostnet::cuda_model::Queue;
using ghostnet::cuda_model::Work;

// Objects stay, marked as released, until the next reset, so that no other object gets their address.

struct CUevent_st {
  int device;
  bool is_given_back = false;
  std::shared_ptr<Moment> recorded = nullptr;
};

struct CUgraph_st {
  bool is_given_back = false;
  std::vector<Work> launches = {};
};

struct CUgraphExec_st {
  int device;
  bool is_given_back = false;
  std::shared_ptr<const std::vector<Work>> launches = nullptr;
};

struct CUstream_st {
  int device;
  std::unique_ptr<Queue> queue;
  bool is_given_back = false;
  std::unique_ptr<CUgraph_st> capture = nullptr;  ///< the recording in progress
  std::thread::id capturing_thread = {};
};

namespace ghostnet::cuda_model {

namespace {

enum class Kind { device, page_locked };

struct Memory {
  std::byte* data;
  size_t bytes;
  Kind kind;
  int device;
};

template <class Object>
using Objects = std::vector<std::unique_ptr<Object>>;

struct Runtime {
  std::mutex mutex;  ///< guards everything below, except the work of streams
  Setup setup;
  std::vector<std::string> faults;
  Counts counts;
  std::vector<Memory> memory;
  // Streams first, with their remaining work.
  Objects<CUevent_st> events;
  Objects<CUgraph_st> graphs;
  Objects<CUgraphExec_st> executables;
  Objects<CUstream_st> streams;
  int calls_until_failure = -1;
  cudaError_t failure = cudaSuccess;
  bool failure_is_sticky = false;
  std::string failed_call;
  cudaError_t sticky = cudaSuccess;

  ~Runtime() { clear(); }
  void clear() {
    streams.clear();
    executables.clear();
    graphs.clear();
    events.clear();
    for (const Memory& block : memory) std::free(block.data);
    memory.clear();
  }
};

Runtime& runtime() {
  static Runtime all;
  return all;
}

thread_local int current_device = 0;
thread_local cudaError_t last_error = cudaSuccess;

cudaError_t fault(cudaError_t error, const std::string& what) {
  runtime().faults.push_back(what);
  return error;
}

bool is_capturing_thread() {
  return std::ranges::any_of(runtime().streams, [](const auto& stream) {
    return stream->capture != nullptr && stream->capturing_thread == std::this_thread::get_id();
  });
}

struct Rules {
  bool may_record = false;  ///< a thread that records a graph may make the call
  bool gives_back = false;  ///< the call does its work even if it fails
};

/** A call to the runtime: the common part, then `body`. */
template <class Body>
cudaError_t make_call(const char* name, Rules rules, const Body& body) {
  Runtime& all = runtime();
  const std::lock_guard lock(all.mutex);
  if (all.sticky != cudaSuccess) return last_error = all.sticky;
  const bool fails = all.calls_until_failure >= 0 && all.calls_until_failure-- == 0;
  if (fails) {
    all.failed_call = name;
    last_error = all.failure;
    if (all.failure_is_sticky) {
      all.sticky = all.failure;
      for (const auto& stream : all.streams) {
        if (!stream->is_given_back) stream->queue->halt();
      }
    }
    if (all.failure_is_sticky || !rules.gives_back) return all.failure;
  }
  if (!rules.may_record && is_capturing_thread()) {
    return last_error =
               fault(cudaErrorStreamCaptureUnsupported, std::string(name) + " by a thread that records");
  }
  const cudaError_t error = fails ? (body(), all.failure) : body();
  if (error != cudaSuccess) last_error = error;
  return error;
}

template <class Object>
bool is_there(const Objects<Object>& objects, const Object* object, const char* name) {
  const bool is_found = std::ranges::any_of(
      objects, [&](const auto& each) { return each.get() == object && !each->is_given_back; });
  if (!is_found) fault(cudaErrorInvalidResourceHandle, std::string(name) + " that does not exist");
  return is_found;
}

template <class Object, class... Values>
Object* make(Objects<Object>& objects, Values&&... values) {
  objects.push_back(std::unique_ptr<Object>(new Object{std::forward<Values>(values)...}));
  return objects.back().get();
}

/** Whether this thread can submit work to a stream. */
bool is_usable(cudaStream_t stream) {
  if (!is_there(runtime().streams, stream, "a stream")) return false;
  if (stream->device == current_device) return true;
  fault(cudaErrorInvalidResourceHandle, "a stream of another GPU than the thread's");
  return false;
}

bool is_usable(cudaEvent_t event) {
  if (!is_there(runtime().events, event, "an event")) return false;
  if (event->device == current_device) return true;
  fault(cudaErrorInvalidResourceHandle, "an event of another GPU than the thread's");
  return false;
}

const Memory* memory_of(Bytes bytes) {
  const auto found = std::ranges::find_if(runtime().memory, [&](const Memory& block) {
    return bytes.data() >= block.data && bytes.data() + bytes.size() <= block.data + block.bytes;
  });
  return found == runtime().memory.end() ? nullptr : &*found;
}

bool is_on_device(Bytes bytes) {
  const Memory* const memory = memory_of(bytes);
  return memory != nullptr && memory->kind == Kind::device && memory->device == current_device;
}

/** Whether a stream still has such work. */
bool is_pending(const std::function<bool(const Work&)>& is_meant) {
  return std::ranges::any_of(runtime().streams, [&](const auto& stream) {
    return !stream->is_given_back && stream->queue->holds(is_meant);
  });
}

cudaError_t take_memory(void** memory, size_t bytes, Kind kind) {
  Runtime& all = runtime();
  const auto left = static_cast<size_t>(all.setup.gpus[static_cast<size_t>(current_device)].memory);
  size_t taken = 0;
  for (const Memory& block : all.memory) taken += block.kind == Kind::device ? block.bytes : 0;
  if (kind == Kind::device && bytes > left - taken) return cudaErrorMemoryAllocation;
  void* data = nullptr;
  if (bytes == 0 || posix_memalign(&data, 256, bytes) != 0) {
    return fault(cudaErrorInvalidValue, "memory of " + std::to_string(bytes) + " bytes");
  }
  std::memset(data, 0xff, bytes);  // NaN in every format
  all.memory.push_back({static_cast<std::byte*>(data), bytes, kind, current_device});
  *memory = data;
  return cudaSuccess;
}

cudaError_t give_memory_back(void* memory, Kind kind) {
  Runtime& all = runtime();
  const auto block = std::ranges::find(all.memory, memory, &Memory::data);
  if (block == all.memory.end() || block->kind != kind) {
    return fault(cudaErrorInvalidValue, "memory released that was not allocated that way");
  }
  const bool is_used = is_pending([&](const Work& work) {
    return std::ranges::any_of(work.touched, [&](Bytes bytes) {
      return bytes.data() < block->data + block->bytes && block->data < bytes.data() + bytes.size();
    });
  });
  if (is_used) return fault(cudaErrorInvalidValue, "memory released while a stream still uses it");
  std::free(block->data);
  all.memory.erase(block);
  return cudaSuccess;
}

/** Waits for a point without the lock; `moment` is null if there is nothing to wait for. */
cudaError_t wait_for(const std::shared_ptr<Moment>& moment) {
  const bool came = moment == nullptr || moment->wait();
  const std::lock_guard lock(runtime().mutex);
  if (!came) return last_error = fault(cudaErrorLaunchTimeout, "a wait without an end");
  if (runtime().sticky != cudaSuccess) return last_error = runtime().sticky;
  return cudaSuccess;
}

void give_mark(cudaStream_t stream, std::function<void()> run) {
  stream->queue->give({std::move(run), {}, nullptr, true});
}

}  // namespace

void reset(const Setup& setup) {
  Runtime& all = runtime();
  const std::lock_guard lock(all.mutex);
  all.clear();
  all.setup = setup;
  all.faults.clear();
  all.counts = {};
  all.calls_until_failure = -1;
  all.failed_call.clear();
  all.sticky = cudaSuccess;
  last_error = cudaSuccess;
}

void fail(int number, cudaError_t error, bool is_sticky) {
  Runtime& all = runtime();
  const std::lock_guard lock(all.mutex);
  all.calls_until_failure = number;
  all.failure = error;
  all.failure_is_sticky = is_sticky;
  all.failed_call.clear();
}

std::string failed_call() {
  const std::lock_guard lock(runtime().mutex);
  return runtime().failed_call;
}

std::vector<std::string> faults() {
  const std::lock_guard lock(runtime().mutex);
  return runtime().faults;
}

std::string left_over() {
  Runtime& all = runtime();
  const std::lock_guard lock(all.mutex);
  std::string text;
  const auto add = [&](const char* name, auto count) {
    if (count > 0) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + name;
  };
  const auto add_objects = [&](const char* name, const auto& objects) {
    add(name, std::ranges::count_if(objects, [](const auto& each) { return !each->is_given_back; }));
  };
  add("blocks of memory", all.memory.size());
  add_objects("streams", all.streams);
  add_objects("events", all.events);
  add_objects("graphs", all.graphs);
  add_objects("executable graphs", all.executables);
  return text;
}

Counts counts() {
  const std::lock_guard lock(runtime().mutex);
  return runtime().counts;
}

void launch_kernel(cudaStream_t stream, std::function<void()> run, std::vector<Bytes> touched) {
  make_call("a kernel's launch", {.may_record = true}, [&] {
    if (!is_usable(stream)) return cudaErrorInvalidResourceHandle;
    if (!std::ranges::all_of(touched, is_on_device)) {
      return fault(cudaErrorIllegalAddress, "a kernel that accesses memory other than the GPU's");
    }
    if (stream->capture != nullptr && stream->capturing_thread != std::this_thread::get_id()) {
      return fault(cudaErrorStreamCaptureUnsupported, "a launch into the recording of another thread");
    }
    if (stream->capture == nullptr && is_capturing_thread()) {
      return fault(cudaErrorStreamCaptureUnsupported, "a launch beside the thread's own recording");
    }
    ++runtime().counts.launches;
    Work work = {std::move(run), std::move(touched)};
    if (stream->capture == nullptr) {
      stream->queue->give(std::move(work));
    } else {
      stream->capture->launches.push_back(std::move(work));
    }
    return cudaSuccess;
  });
}

}  // namespace ghostnet::cuda_model

using namespace ghostnet::cuda_model;

namespace {

struct Words {
  cudaError_t error;
  const char *name, *text;
};

constexpr Words kWords[] = {
    {cudaSuccess, "cudaSuccess", "no error"},
    {cudaErrorInvalidValue, "cudaErrorInvalidValue", "invalid argument"},
    {cudaErrorMemoryAllocation, "cudaErrorMemoryAllocation", "out of memory"},
    {cudaErrorInsufficientDriver, "cudaErrorInsufficientDriver", "insufficient driver"},
    {cudaErrorNoDevice, "cudaErrorNoDevice", "no device"},
    {cudaErrorInvalidDevice, "cudaErrorInvalidDevice", "invalid device"},
    {cudaErrorInvalidResourceHandle, "cudaErrorInvalidResourceHandle", "invalid resource handle"},
    {cudaErrorIllegalAddress, "cudaErrorIllegalAddress", "illegal memory access"},
    {cudaErrorLaunchTimeout, "cudaErrorLaunchTimeout", "launch timed out"},
    {cudaErrorLaunchFailure, "cudaErrorLaunchFailure", "launch failure"},
    {cudaErrorStreamCaptureUnsupported, "cudaErrorStreamCaptureUnsupported", "not while a stream records"},
};
constexpr Words kUnknown = {cudaErrorUnknown, "cudaErrorUnknown", "unknown error"};

const Words& words_of(cudaError_t error) {
  const auto* const found = std::ranges::find(kWords, error, &Words::error);
  return found == std::end(kWords) ? kUnknown : *found;
}

bool is_device(int device) {
  return device >= 0 && static_cast<size_t>(device) < runtime().setup.gpus.size();
}

}  // namespace

const char* cudaGetErrorName(cudaError_t error) { return words_of(error).name; }
const char* cudaGetErrorString(cudaError_t error) { return words_of(error).text; }

cudaError_t cudaGetLastError() {
  const std::lock_guard lock(runtime().mutex);
  const cudaError_t error = std::exchange(last_error, cudaSuccess);
  return runtime().sticky != cudaSuccess ? runtime().sticky : error;
}

cudaError_t cudaDriverGetVersion(int* version) {
  return make_call("cudaDriverGetVersion", {}, [&] {
    *version = runtime().setup.driver;
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceCount(int* count) {
  return make_call("cudaGetDeviceCount", {}, [&] {
    const Setup& setup = runtime().setup;
    if (setup.driver < CUDART_VERSION / 1000 * 1000) return cudaErrorInsufficientDriver;
    if (setup.gpus.empty()) return cudaErrorNoDevice;
    *count = static_cast<int>(setup.gpus.size());
    return cudaSuccess;
  });
}

cudaError_t cudaGetDeviceProperties(cudaDeviceProp* properties, int device) {
  return make_call("cudaGetDeviceProperties", {}, [&] {
    if (!is_device(device)) return fault(cudaErrorInvalidDevice, "properties of no GPU");
    const ghostnet::cuda::Gpu& gpu = runtime().setup.gpus[static_cast<size_t>(device)];
    *properties = {};
    gpu.name.copy(properties->name, sizeof properties->name - 1);
    properties->totalGlobalMem = static_cast<size_t>(gpu.memory);
    properties->major = gpu.major;
    properties->minor = gpu.minor;
    return cudaSuccess;
  });
}

cudaError_t cudaSetDevice(int device) {
  return make_call("cudaSetDevice", {.may_record = true}, [&] {
    if (!is_device(device)) return cudaErrorInvalidDevice;
    current_device = device;
    return cudaSuccess;
  });
}

cudaError_t cudaMalloc(void** memory, size_t bytes) {
  return make_call("cudaMalloc", {}, [&] { return take_memory(memory, bytes, Kind::device); });
}
cudaError_t cudaFree(void* memory) {
  return make_call("cudaFree", {.gives_back = true}, [&] { return give_memory_back(memory, Kind::device); });
}
cudaError_t cudaMallocHost(void** memory, size_t bytes) {
  return make_call("cudaMallocHost", {}, [&] { return take_memory(memory, bytes, Kind::page_locked); });
}
cudaError_t cudaFreeHost(void* memory) {
  return make_call("cudaFreeHost", {.gives_back = true},
                   [&] { return give_memory_back(memory, Kind::page_locked); });
}

cudaError_t cudaMemcpyAsync(void* to, const void* from, size_t bytes, cudaMemcpyKind, cudaStream_t stream) {
  return make_call("cudaMemcpyAsync", {}, [&] {
    if (!is_usable(stream)) return cudaErrorInvalidResourceHandle;
    const Bytes read(static_cast<const std::byte*>(from), bytes);
    const Bytes written(static_cast<const std::byte*>(to), bytes);
    const Memory* const source = memory_of(read);
    const Memory* const destination = memory_of(written);
    if (source == nullptr || destination == nullptr) {
      return fault(cudaErrorInvalidValue, "a copy of memory that is neither the GPU's nor page-locked");
    }
    if (!is_on_device(read) && !is_on_device(written)) {
      return fault(cudaErrorInvalidValue, "a copy that has nothing to do with the GPU");
    }
    if (stream->capture != nullptr) {
      return fault(cudaErrorStreamCaptureUnsupported, "a copy into a recording");
    }
    stream->queue->give({[=] { std::memcpy(to, from, bytes); }, {read, written}});
    return cudaSuccess;
  });
}

cudaError_t cudaStreamCreateWithFlags(cudaStream_t* stream, unsigned flags) {
  return make_call("cudaStreamCreateWithFlags", {}, [&] {
    if (flags != cudaStreamNonBlocking) {
      return fault(cudaErrorInvalidValue, "a stream that waits for the default one");
    }
    Runtime& all = runtime();
    const auto seed = static_cast<unsigned>(all.streams.size());
    *stream = make(all.streams, current_device, std::make_unique<Queue>(all.setup.lag, seed));
    return cudaSuccess;
  });
}

cudaError_t cudaStreamDestroy(cudaStream_t stream) {
  return make_call("cudaStreamDestroy", {.gives_back = true}, [&] {
    if (!is_there(runtime().streams, stream, "a stream")) return cudaErrorInvalidResourceHandle;
    stream->is_given_back = true;
    stream->queue = nullptr;
    return cudaSuccess;
  });
}

cudaError_t cudaStreamSynchronize(cudaStream_t stream) {
  std::shared_ptr<Moment> moment;
  const cudaError_t error = make_call("cudaStreamSynchronize", {}, [&] {
    if (!is_usable(stream)) return cudaErrorInvalidResourceHandle;
    moment = std::make_shared<Moment>();
    give_mark(stream, [moment] { moment->come(); });
    return cudaSuccess;
  });
  return error != cudaSuccess ? error : wait_for(moment);
}

cudaError_t cudaStreamWaitEvent(cudaStream_t stream, cudaEvent_t event, unsigned) {
  return make_call("cudaStreamWaitEvent", {}, [&] {
    if (!is_usable(stream) || !is_usable(event)) return cudaErrorInvalidResourceHandle;
    if (event->recorded == nullptr)
      return fault(cudaErrorInvalidValue, "a wait for an event that was not recorded");
    give_mark(stream, [moment = event->recorded] { moment->wait(); });
    return cudaSuccess;
  });
}

cudaError_t cudaStreamBeginCapture(cudaStream_t stream, cudaStreamCaptureMode mode) {
  return make_call("cudaStreamBeginCapture", {}, [&] {
    if (!is_usable(stream)) return cudaErrorInvalidResourceHandle;
    if (mode != cudaStreamCaptureModeThreadLocal || stream->capture != nullptr) {
      return fault(cudaErrorInvalidValue, "a recording that others get into");
    }
    stream->capture = std::make_unique<CUgraph_st>();
    stream->capturing_thread = std::this_thread::get_id();
    return cudaSuccess;
  });
}

cudaError_t cudaStreamEndCapture(cudaStream_t stream, cudaGraph_t* graph) {
  *graph = nullptr;
  const cudaError_t error = make_call("cudaStreamEndCapture", {.may_record = true, .gives_back = true}, [&] {
    if (!is_usable(stream)) return cudaErrorInvalidResourceHandle;
    if (stream->capture == nullptr || stream->capturing_thread != std::this_thread::get_id()) {
      return fault(cudaErrorInvalidValue, "the end of a recording that this thread has not begun");
    }
    const auto recorded = std::exchange(stream->capture, nullptr);
    *graph = make(runtime().graphs);
    (*graph)->launches = recorded->launches;
    return cudaSuccess;
  });
  if (error == cudaSuccess || *graph == nullptr) return error;
  const std::lock_guard lock(runtime().mutex);
  std::exchange(*graph, nullptr)->is_given_back = true;
  return error;
}

cudaError_t cudaEventCreateWithFlags(cudaEvent_t* event, unsigned) {
  return make_call("cudaEventCreateWithFlags", {}, [&] {
    *event = make(runtime().events, current_device);
    return cudaSuccess;
  });
}

cudaError_t cudaEventDestroy(cudaEvent_t event) {
  return make_call("cudaEventDestroy", {.gives_back = true}, [&] {
    if (!is_there(runtime().events, event, "an event")) return cudaErrorInvalidResourceHandle;
    event->is_given_back = true;
    return cudaSuccess;
  });
}

cudaError_t cudaEventRecord(cudaEvent_t event, cudaStream_t stream) {
  return make_call("cudaEventRecord", {}, [&] {
    if (!is_usable(stream) || !is_usable(event)) return cudaErrorInvalidResourceHandle;
    event->recorded = std::make_shared<Moment>();
    give_mark(stream, [moment = event->recorded] { moment->come(); });
    return cudaSuccess;
  });
}

cudaError_t cudaEventSynchronize(cudaEvent_t event) {
  std::shared_ptr<Moment> moment;
  const cudaError_t error = make_call("cudaEventSynchronize", {}, [&] {
    if (!is_usable(event)) return cudaErrorInvalidResourceHandle;
    if (event->recorded == nullptr)
      return fault(cudaErrorInvalidValue, "a wait for an event that was not recorded");
    moment = event->recorded;
    return cudaSuccess;
  });
  return error != cudaSuccess ? error : wait_for(moment);
}

cudaError_t cudaGraphDestroy(cudaGraph_t graph) {
  return make_call("cudaGraphDestroy", {.gives_back = true}, [&] {
    if (!is_there(runtime().graphs, graph, "a graph")) return cudaErrorInvalidResourceHandle;
    graph->is_given_back = true;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphInstantiate(cudaGraphExec_t* executable, cudaGraph_t graph, unsigned long long) {
  return make_call("cudaGraphInstantiate", {}, [&] {
    if (!is_there(runtime().graphs, graph, "a graph")) return cudaErrorInvalidResourceHandle;
    *executable = make(runtime().executables, current_device);
    (*executable)->launches = std::make_shared<const std::vector<Work>>(graph->launches);
    return cudaSuccess;
  });
}

cudaError_t cudaGraphExecDestroy(cudaGraphExec_t executable) {
  return make_call("cudaGraphExecDestroy", {.gives_back = true}, [&] {
    if (!is_there(runtime().executables, executable, "an executable graph")) {
      return cudaErrorInvalidResourceHandle;
    }
    if (is_pending([&](const Work& work) { return work.graph == executable; })) {
      fault(cudaErrorInvalidValue, "a graph released while a stream still runs it");
    }
    executable->is_given_back = true;
    return cudaSuccess;
  });
}

cudaError_t cudaGraphLaunch(cudaGraphExec_t executable, cudaStream_t stream) {
  return make_call("cudaGraphLaunch", {}, [&] {
    if (!is_usable(stream) || !is_there(runtime().executables, executable, "an executable graph")) {
      return cudaErrorInvalidResourceHandle;
    }
    if (executable->device != current_device) {
      return fault(cudaErrorInvalidValue, "a graph of another GPU than the thread's");
    }
    for (const Work& launch : *executable->launches) {
      if (!std::ranges::all_of(launch.touched, is_on_device)) {
        return fault(cudaErrorIllegalAddress, "a graph that accesses released memory");
      }
    }
    ++runtime().counts.graph_launches;
    for (const Work& launch : *executable->launches) {
      stream->queue->give({launch.run, launch.touched, executable});
    }
    return cudaSuccess;
  });
}
