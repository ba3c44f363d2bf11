/**
 * The launches of a network for one input shape, and the memory that they need. A plan is data, without
 * CUDA.
 */
#pragma once

#include "base/output.h"
#include "engine/cuda/device_weights.h"
#include "engine/cuda/kernel_choice.h"
#include "engine/input.h"
#include "engine/operations.h"

namespace ghostnet::cuda {

/** The input of a plan. */
struct PlanKey {
  InputShape input;
  Output output;
  Normalisation normalisation;  ///< of bytes

  bool operator==(const PlanKey&) const = default;
};

class LaunchPlan {
 public:
  LaunchPlan(const DeviceWeights& weights, const PlanKey& key, GhostPath path);

  const PlanKey& key() const { return key_; }
  size_t arena_bytes() const { return arena_bytes_; }
  size_t input_bytes() const;
  size_t output_bytes() const;

  /** The launches in order, at these addresses. */
  Calls calls(std::byte* arena, const std::byte* input, std::byte* output) const;

 private:
  class Builder;

  const DeviceWeights* weights_;
  PlanKey key_;
  ghostnet::Graph graph_;
  std::vector<Operation> operations_;
  GhostPath path_;
  size_t arena_bytes_ = 0;
  std::vector<size_t> offsets_;  ///< of the buffers in the arena
};

}  // namespace ghostnet::cuda
