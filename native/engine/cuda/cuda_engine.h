/**
 * A network on a GPU: its weights there, a plan per input shape, two batches in flight.
 */
#pragma once

#include <condition_variable>
#include <list>
#include <mutex>

#include "engine/cuda/launch_plan.h"
#include "engine/runner.h"

namespace ghostnet::cuda {

class CudaEngine : public Runner {
 public:
  struct Options {
    GhostPath path = GhostPath::measured;
    bool graphs = true;  ///< the launches of a recurring shape are recorded, and launched together
  };

  /** @throws Error GHOSTNET_OUT_OF_MEMORY, GHOSTNET_CUDA_FAILED */
  CudaEngine(std::shared_ptr<Device> device, const FoldedNetwork& network, Precision dtype, Options options);
  CudaEngine(std::shared_ptr<Device> device, const FoldedNetwork& network, Precision dtype)
      : CudaEngine(std::move(device), network, dtype, Options{}) {}
  ~CudaEngine() override;

  /**
   * As Runner::run. May be called from several threads: up to kSlots batches are in flight, one being copied
   * in or out while another is computed.
   * @throws Error GHOSTNET_OUT_OF_MEMORY, GHOSTNET_BAD_SHAPE, GHOSTNET_CUDA_FAILED
   */
  void run(const Request& request, float* result) override;
  int64_t columns(Output output) const override;

  static constexpr size_t kSlots = 2;
  /** Plans kept for recurring shapes; the least recently used is dropped first. */
  static constexpr size_t kMaxPlans = 16;
  size_t plan_count() const;

 private:
  /** The memory and events of a batch in flight, apart from the arena. */
  struct Slot {
    explicit Slot(const std::shared_ptr<Device>& device);

    Memory staged_input, input, output, staged_output;
    std::unique_ptr<Event> copied, computed, done;
    bool taken = false;
  };
  struct Plan {
    LaunchPlan launches;
    std::unique_ptr<LaunchGraph> graphs[kSlots] = {};
    bool came_before = false;
  };
  class TakenSlot;

  void submit(Plan& plan, size_t slot_index);
  Plan& plan_for(const LaunchKey& key);
  void reserve(const LaunchPlan& plan);

  std::shared_ptr<Device> device_;
  Options options_;
  DeviceWeights weights_;
  mutable std::mutex mutex_;  ///< guards everything below, except the staging memory of a taken slot
  std::condition_variable slot_free_;
  Memory arena_;
  Slot slots_[kSlots];
  std::list<Plan> plans_;  ///< most recently used first
};

}  // namespace ghostnet::cuda
