/**
 * The launches of a network for one input shape, and the memory that they need. A plan is data, without
 * CUDA.
 */
#pragma once

#include "engine/cuda/device_weights.h"
#include "engine/cuda/kernel_choice.h"
#include "engine/input.h"
#include "engine/operations.h"
#include "engine/runner.h"

namespace ghostnet::cuda {

/** What a plan is made for. */
struct LaunchKey {
  InputShape input;
  Output output;
  Normalisation normalisation;  ///< of bytes

  bool operator==(const LaunchKey&) const = default;
};

class LaunchPlan {
 public:
  LaunchPlan(const DeviceWeights& weights, const LaunchKey& key, GhostPath path);

  const LaunchKey& key() const { return key_; }
  size_t arena_bytes() const { return arena_bytes_; }
  size_t input_bytes() const;
  size_t output_bytes() const;

  /** The launches in order, at these addresses. */
  Calls calls(std::byte* arena, const std::byte* input, std::byte* output) const;

 private:
  class Builder;

  const DeviceWeights* weights_;
  LaunchKey key_;
  Graph graph_;
  std::vector<Operation> operations_;
  GhostPath path_;
  size_t arena_bytes_ = 0;
  std::vector<size_t> offsets_;  ///< of the buffers in the arena
};

}  // namespace ghostnet::cuda
