#include "rig_device.h"

#include <cstring>

#include "base/error.h"
#include "machine.h"

namespace ghostnet::cuda_on_cpu {

namespace {

using cuda::Calls;

/** Counts its recordings, and how many of them have occurred. */
class RigEvent : public cuda::Event {
 public:
  int recorded = 0, come = 0;
};

class RigGraph : public cuda::LaunchGraph {
 public:
  explicit RigGraph(const Calls& recorded) : calls(recorded) {}
  Calls calls;
};

RigEvent& of(cuda::Event& event) { return static_cast<RigEvent&>(event); }

}  // namespace

RigDevice::RigDevice(unsigned seed) : random_(seed) {
  machine().checker.reset();
  machine().order = Order::forward;
}

// Poisoned: NaN in every float format.
std::byte* RigDevice::take(size_t bytes, bool on_device) {
  constexpr size_t kAlignment = 256, kGuard = 8192;
  const std::lock_guard lock(mutex_);
  if (bytes > left_) throw Error(ErrorCode::GHOSTNET_OUT_OF_MEMORY, "No memory on the device");
  left_ -= bytes;
  ++counts_.allocations;
  std::vector<std::byte> storage(bytes + 2 * kGuard + kAlignment, std::byte{0xff});
  const auto start = reinterpret_cast<uintptr_t>(storage.data()) + kGuard;
  std::byte* const memory = storage.data() + kGuard + (kAlignment - start % kAlignment) % kAlignment;
  if (on_device) {
    machine().checker.add_array("allocation of " + std::to_string(bytes) + " bytes", memory, bytes,
                                Use::reused);
    counts_.bytes += static_cast<int64_t>(bytes);
  }
  memory_.emplace(memory, std::move(storage));
  return memory;
}

std::byte* RigDevice::allocate(size_t bytes) { return take(bytes, true); }
std::byte* RigDevice::allocate_staging(size_t bytes) { return take(bytes, false); }

void RigDevice::free(std::byte* memory) noexcept {
  const std::lock_guard lock(mutex_);
  for (const auto& stream : streams_) {
    if (!stream.empty()) faults_.push_back("memory freed while a stream still has something to do");
  }
  machine().checker.remove_array(memory);
  memory_.erase(memory);
}

void RigDevice::free_staging(std::byte* memory) noexcept {
  const std::lock_guard lock(mutex_);
  memory_.erase(memory);
}

void RigDevice::give(cuda::Stream stream, std::function<void()> work, std::function<bool()> may_run) {
  streams_[static_cast<size_t>(stream)].push_back({std::move(work), std::move(may_run)});
}

void RigDevice::copy(cuda::Stream stream, std::byte* to, const std::byte* from, size_t bytes) {
  const std::lock_guard lock(mutex_);
  give(
      stream,
      [this, stream, to, from, bytes] {
        const bool computes = !streams_[static_cast<size_t>(cuda::Stream::compute)].empty();
        if (stream == cuda::Stream::input && computes) ++counts_.copied_ahead;
        std::memcpy(to, from, bytes);
        machine().checker.note_copy(to, bytes);
      },
      nullptr);
}

void RigDevice::run_calls(const Calls& calls) {
  for (const cuda::Call& call : calls) {
    const int before = machine().checker.launches();
    if (cuda::launch(call, nullptr).status != cuda::Launch::done) faults_.push_back("not launched");
    counts_.launches += machine().checker.launches() - before;
    const auto* const product = std::get_if<cuda::ProductCall>(&call);
    counts_.ghost_modules += product != nullptr && std::holds_alternative<cuda::GpuGhostCall>(*product);
  }
}

void RigDevice::launch(cuda::Stream stream, const Calls& calls) {
  const std::lock_guard lock(mutex_);
  give(stream, [this, calls] { run_calls(calls); }, nullptr);
}

std::unique_ptr<cuda::LaunchGraph> RigDevice::record(const Calls& calls) {
  const std::lock_guard lock(mutex_);
  ++counts_.graphs;
  return std::make_unique<RigGraph>(calls);
}

void RigDevice::launch(cuda::Stream stream, cuda::LaunchGraph& graph) {
  const std::lock_guard lock(mutex_);
  ++counts_.graph_launches;
  give(stream, [this, calls = static_cast<RigGraph&>(graph).calls] { run_calls(calls); }, nullptr);
}

std::unique_ptr<cuda::Event> RigDevice::make_event() { return std::make_unique<RigEvent>(); }

void RigDevice::record(cuda::Stream stream, cuda::Event& event) {
  const std::lock_guard lock(mutex_);
  ++of(event).recorded;
  give(stream, [&event] { ++of(event).come; }, nullptr);
}

void RigDevice::wait(cuda::Stream stream, cuda::Event& event) {
  const std::lock_guard lock(mutex_);
  give(stream, nullptr, [&event, recorded = of(event).recorded] { return of(event).come >= recorded; });
}

// Runs one task at a time, of a random stream among those that may continue.
void RigDevice::run_until(const std::function<bool()>& reached) {
  while (!reached()) {
    std::vector<std::deque<Task>*> ready;
    for (auto& stream : streams_) {
      if (!stream.empty() && (stream.front().may_run == nullptr || stream.front().may_run())) {
        ready.push_back(&stream);
      }
    }
    if (ready.empty()) {
      faults_.push_back("streams wait for each other, or for what nobody has recorded");
      return;
    }
    std::deque<Task>& stream = *ready[random_() % ready.size()];
    const Task task = std::move(stream.front());
    stream.pop_front();
    if (task.work != nullptr) task.work();
  }
}

void RigDevice::synchronize(cuda::Event& event) {
  const std::lock_guard lock(mutex_);
  const int recorded = of(event).recorded;
  run_until([&] { return of(event).come >= recorded; });
}

void RigDevice::synchronize() {
  const std::lock_guard lock(mutex_);
  run_until([&] {
    for (const auto& stream : streams_) {
      if (!stream.empty()) return false;
    }
    return true;
  });
}

std::vector<std::string> RigDevice::faults() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> all = faults_;
  for (const auto& [kind, finding] : machine().checker.findings()) {
    all.push_back(kind + " (" + std::to_string(finding.count) + "x): " + finding.detail);
  }
  return all;
}

RigDevice::Counts RigDevice::counts() const {
  const std::lock_guard lock(mutex_);
  return counts_;
}

void RigDevice::reset_counts() {
  const std::lock_guard lock(mutex_);
  const int64_t bytes = counts_.bytes;
  counts_ = {};
  counts_.bytes = bytes;
}

}  // namespace ghostnet::cuda_on_cpu
