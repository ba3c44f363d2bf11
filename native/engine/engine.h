/**
 * A network in the form in which it is run: its weights folded and packed, plans for the shapes of its
 * inputs.
 */
#pragma once

#include <list>
#include <memory>

#include "engine/arena.h"
#include "engine/array.h"
#include "engine/output.h"
#include "engine/packed_network.h"
#include "engine/plan.h"
#include "engine/transform.h"

namespace ghostnet {

class Engine {
 public:
  /**
   * @param network packed for the kernels of this capability
   * @param arena shared by default, since runs of a process come one at a time
   */
  Engine(PackedNetwork network, cpu::Capability capability, std::shared_ptr<Arena> arena = Arena::shared());
  Engine(const Engine&) = delete;  // plans point into the network
  Engine& operator=(const Engine&) = delete;

  /**
   * As Network::run, into memory of the caller. After the first run of a shape it allocates nothing and calls
   * no operator of LibTorch. An image's result has the same bits whatever batch it is in and however many
   * threads there are. One run at a time.
   * @param input float32 [N,3,H,W] or uint8 [N,H,W,3], checked
   * @param result [N,num_classes] or [N,kFeatureChannels], written whole
   * @throws Error GHOSTNET_OUT_OF_MEMORY
   */
  void run(const ArrayView& input, const Transform& transform, Output output, int threads, float* result);

  int64_t columns(Output output) const;

  /** Plans that are kept for shapes met again; the least recently used goes first. */
  static constexpr size_t kMaxPlans = 16;
  size_t plan_count() const { return plans_.size(); }

 private:
  const Plan& plan_for(const PlanKey& key);

  const cpu::Kernels& kernels_;
  PackedNetwork network_;
  std::shared_ptr<Arena> arena_;
  std::list<Plan> plans_;  ///< last used first
};

}  // namespace ghostnet
