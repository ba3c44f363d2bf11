#pragma once

#include "engine/runner.h"
#include "modules/ghostnet.h"

namespace ghostnet {

/** Runs the torch::nn modules one after another. The engines are compared with it. */
class ReferenceRunner : public Runner {
 public:
  /** @param net its weights are reordered to channels last, which oneDNN runs fastest; values do not change
   */
  explicit ReferenceRunner(GhostNet net);

  void run(const Request& request, float* result) override;
  int64_t columns(Output output) const override;

 private:
  GhostNet net_;
};

}  // namespace ghostnet
