/**
 * The CPU engine: the packed weights of a network, and plans for the shapes of its inputs.
 */
#pragma once

#include <list>
#include <memory>

#include "engine/arena.h"
#include "engine/cpu/plan.h"
#include "engine/runner.h"

namespace ghostnet {

class Engine : public Runner {
 public:
  /** @param arena shared by default, because a process runs one batch at a time */
  explicit Engine(std::unique_ptr<const PackedNetwork> network,
                  std::shared_ptr<Arena> arena = Arena::shared());

  /**
   * As Runner::run. After the first run of a shape it allocates nothing. The result of an image has the same
   * bits in every batch and with any number of threads. One run at a time.
   * @throws Error GHOSTNET_OUT_OF_MEMORY
   */
  void run(const Request& request, float* result) override;
  int64_t columns(Output output) const override;

  /** Plans kept for recurring shapes; the least recently used is dropped first. */
  static constexpr size_t kMaxPlans = 64;
  size_t plan_count() const { return plans_.size(); }

 private:
  const Plan& plan_for(const PlanKey& key);

  std::unique_ptr<const PackedNetwork> network_;
  std::shared_ptr<Arena> arena_;
  std::list<Plan> plans_;  ///< most recently used first
};

}  // namespace ghostnet
