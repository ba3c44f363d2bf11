#pragma once

#include "engine/runner.h"
#include "modules/ghostnet.h"

namespace ghostnet {

/** The torch::nn modules, one after another: what the engines are compared with. */
class ReferenceRunner : public Runner {
 public:
  /** @param net whose weights are put in the order that oneDNN runs fastest on, channels last; values stay */
  explicit ReferenceRunner(GhostNet net);

  void run(const Request& request, float* result) override;
  int64_t columns(Output output) const override;

 private:
  GhostNet net_;
};

/** Has LibTorch compute with so many threads. */
void use_threads(int threads);

}  // namespace ghostnet
