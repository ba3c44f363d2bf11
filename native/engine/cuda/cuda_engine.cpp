#include "engine/cuda/cuda_engine.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include "base/error.h"

namespace ghostnet::cuda {

namespace {

LaunchKey key_of(const Request& request) {
  const InputShape shape = input_shape_of(request.input);
  constexpr int64_t kMostPixels = std::numeric_limits<int>::max();  // plans count pixels as int
  if (shape.height > kMostPixels / shape.width) {
    throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "The image is too large for the GPU",
                text_of(request.input.shape));
  }
  // Floats are already normalised: one plan serves all transforms.
  const Normalisation normalisation =
      shape.dtype == DType::uint8 ? normalisation_of(request.transform) : Normalisation{};
  return {shape, request.output, normalisation};
}

}  // namespace

/** Holds a slot during a run. */
class CudaEngine::TakenSlot {
 public:
  explicit TakenSlot(CudaEngine& engine) : engine_(engine) {
    std::unique_lock lock(engine.mutex_);
    const auto is_free = [](const Slot& slot) { return !slot.taken; };
    engine.slot_free_.wait(lock, [&] { return std::ranges::any_of(engine.slots_, is_free); });
    index_ = static_cast<size_t>(std::ranges::find_if(engine.slots_, is_free) - engine.slots_);
    engine.slots_[index_].taken = true;
  }
  ~TakenSlot() {
    const std::lock_guard lock(engine_.mutex_);
    engine_.slots_[index_].taken = false;
    engine_.slot_free_.notify_one();
  }
  TakenSlot(const TakenSlot&) = delete;
  TakenSlot& operator=(const TakenSlot&) = delete;

  size_t index() const { return index_; }
  Slot& operator*() const { return engine_.slots_[index_]; }

 private:
  CudaEngine& engine_;
  size_t index_;
};

CudaEngine::Slot::Slot(const std::shared_ptr<Device>& device)
    : staged_input(device, Memory::Kind::staging),
      input(device, Memory::Kind::device),
      output(device, Memory::Kind::device),
      staged_output(device, Memory::Kind::staging),
      copied(device->make_event()),
      computed(device->make_event()),
      done(device->make_event()) {}

CudaEngine::CudaEngine(std::shared_ptr<Device> device, const FoldedNetwork& network, Precision dtype,
                       Options options)
    : device_(std::move(device)),
      options_(options),
      weights_(device_, network, dtype),
      arena_(device_, Memory::Kind::device),
      slots_{Slot(device_), Slot(device_)} {}

CudaEngine::~CudaEngine() { settle(*device_); }

int64_t CudaEngine::columns(Output output) const {
  return output == Output::features ? kFeatureChannels : weights_.architecture().num_classes;
}

size_t CudaEngine::plan_count() const {
  const std::lock_guard lock(mutex_);
  return plans_.size();
}

void CudaEngine::run(const Request& request, float* result) {
  const LaunchKey key = key_of(request);
  const ArrayView& input = request.input;
  const size_t input_bytes = byte_count(input.dtype, input.shape);
  const size_t output_bytes = static_cast<size_t>(key.input.batch * columns(request.output)) * sizeof(float);
  const TakenSlot taken(*this);
  Slot& slot = *taken;
  slot.staged_input.reserve(input_bytes);
  slot.staged_output.reserve(output_bytes);
  std::memcpy(slot.staged_input.data(), input.data, input_bytes);
  try {
    {
      const std::lock_guard lock(mutex_);
      submit(plan_for(key), taken.index());
    }
    device_->synchronize(*slot.done);
  } catch (...) {
    settle(*device_);  // the slot is free for other runs after this
    throw;
  }
  std::memcpy(result, slot.staged_output.data(), output_bytes);
}

// Batches are computed one after another in a single arena. Meanwhile the next batch is copied into the other
// slot, and the results of the previous batch are copied back.
void CudaEngine::submit(Plan& plan, size_t slot_index) {
  Slot& slot = slots_[slot_index];
  const LaunchPlan& launches = plan.launches;
  device_->copy(Stream::input, slot.input.data(), slot.staged_input.data(), launches.input_bytes());
  device_->record(Stream::input, *slot.copied);
  device_->wait(Stream::compute, *slot.copied);
  const auto calls = [&] { return launches.calls(arena_.data(), slot.input.data(), slot.output.data()); };
  // A graph is recorded in the second run of a shape: a shape that does not recur is not worth it, and after
  // the first run the kernels are loaded, so that the recording need not wait for them.
  const bool came_before = std::exchange(plan.came_before, true);
  if (options_.graphs && came_before) {
    std::unique_ptr<LaunchGraph>& graph = plan.graphs[slot_index];
    if (graph == nullptr) graph = device_->record(calls());
    device_->launch(Stream::compute, *graph);
  } else {
    device_->launch(Stream::compute, calls());
  }
  device_->record(Stream::compute, *slot.computed);
  device_->wait(Stream::output, *slot.computed);
  device_->copy(Stream::output, slot.staged_output.data(), slot.output.data(), launches.output_bytes());
  device_->record(Stream::output, *slot.done);
}

CudaEngine::Plan& CudaEngine::plan_for(const LaunchKey& key) {
  const auto found =
      std::ranges::find_if(plans_, [&](const Plan& plan) { return plan.launches.key() == key; });
  if (found != plans_.end()) {
    plans_.splice(plans_.begin(), plans_, found);
    return plans_.front();
  }
  LaunchPlan launches(weights_, key, options_.path);
  reserve(launches);
  // Never a plan of a batch in flight: batches are computed in order, so a plan last used kSlots runs ago is
  // not in flight.
  static_assert(kMaxPlans > kSlots);
  if (plans_.size() >= kMaxPlans) plans_.pop_back();
  return plans_.emplace_front(Plan{std::move(launches)});
}

// Memory that grows moves, and the addresses in all graphs become invalid.
void CudaEngine::reserve(const LaunchPlan& plan) {
  const auto fits = [](const Memory& memory, size_t bytes) { return memory.size() >= bytes; };
  const bool all_fit =
      fits(arena_, plan.arena_bytes()) && std::ranges::all_of(slots_, [&](const Slot& slot) {
        return fits(slot.input, plan.input_bytes()) && fits(slot.output, plan.output_bytes());
      });
  if (all_fit) return;
  device_->synchronize();
  plans_.clear();
  arena_.reserve(plan.arena_bytes());
  for (Slot& slot : slots_) {
    slot.input.reserve(plan.input_bytes());
    slot.output.reserve(plan.output_bytes());
  }
}

}  // namespace ghostnet::cuda
