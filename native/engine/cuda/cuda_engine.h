/**
 * A network on a GPU: its weights there, a plan for each shape of its inputs, two batches on their way.
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
    bool graphs = true;  ///< the launches of a shape that comes again are recorded, and launched together
  };

  /** @throws Error GHOSTNET_OUT_OF_MEMORY, GHOSTNET_CUDA_FAILED */
  CudaEngine(std::shared_ptr<Device> device, const FoldedNetwork& network, Precision dtype, Options options);
  CudaEngine(std::shared_ptr<Device> device, const FoldedNetwork& network, Precision dtype)
      : CudaEngine(std::move(device), network, dtype, Options{}) {}
  ~CudaEngine() override;

  /**
   * As Runner::run. May be called from several threads: kSlots batches are on their way at a time, one being
   * copied in or out while another is computed.
   * @throws Error GHOSTNET_OUT_OF_MEMORY, GHOSTNET_BAD_SHAPE, GHOSTNET_CUDA_FAILED
   */
  void run(const Request& request, float* result) override;
  int64_t columns(Output output) const override;

  static constexpr size_t kSlots = 2;
  /** Plans that are kept for shapes met again; the least recently used goes first. */
  static constexpr size_t kMaxPlans = 16;
  size_t plan_count() const;

 private:
  /** What a batch needs on its way, beside the arena. */
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
  mutable std::mutex mutex_;  ///< of all below, but for the staging memory of a slot, which its taker has
  std::condition_variable slot_free_;
  Memory arena_;
  Slot slots_[kSlots];
  std::list<Plan> plans_;  ///< last used first
};

}  // namespace ghostnet::cuda
