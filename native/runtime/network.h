/**
 * A network with weights, ready to run: what the binding sees of the model. Free of LibTorch.
 *
 * All calls may be made from any thread, one at a time for the process (the executor's); those that a GPU
 * computes beside them, two at a time. They throw Error only.
 */
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/array.h"
#include "engine/computation.h"
#include "engine/runner.h"
#include "image/transform.h"
#include "model/architecture.h"

namespace ghostnet {

using NamedArrays = std::map<std::string, ArrayView>;

/** A class and its softmax over all classes, in [0, 1]. */
struct ClassScore {
  int64_t index;
  float score;
};

class Network {
 public:
  /**
   * Fresh weights, as PyTorch initialises them.
   * @param seed the values are those of the reference after torch.manual_seed(seed); drawn when not given
   * @throws Error GHOSTNET_INVALID_ARGUMENT, those of validate(Computation); with a GPU those of
   * cuda::open_gpu, GHOSTNET_OUT_OF_MEMORY
   */
  static std::shared_ptr<Network> create(const Architecture& architecture, const Transform& transform,
                                         std::optional<uint64_t> seed, const Computation& computation = {});

  /**
   * The network of a state dict. Floating-point arrays of any width become float32. Networks with the same
   * weights share them in the process.
   * @param architecture inferred from the shapes when not given
   * @throws Error GHOSTNET_PARAMETERS_MISMATCH, GHOSTNET_BAD_DTYPE, and as create
   */
  static std::shared_ptr<Network> load(const NamedArrays& arrays, std::optional<Architecture> architecture,
                                       const Transform& transform, const Computation& computation = {});

  ~Network();

  const Architecture& architecture() const;
  const Transform& transform() const { return transform_; }
  /** The GPU that computes the runs; nothing where the CPU does. */
  std::optional<int> gpu() const { return computation_.gpu; }
  /** Bytes of the parameters and buffers. */
  int64_t weight_bytes() const;

  /**
   * @param input float32 [N,3,H,W], already normalised, or uint8 [N,H,W,3], RGB; H and W of at least
   * kMinInputSide
   * @param threads from 1 to kMaxThreads
   * @return float32
   * @throws Error GHOSTNET_BAD_SHAPE, GHOSTNET_BAD_DTYPE, GHOSTNET_OUT_OF_MEMORY; GHOSTNET_INVALID_ARGUMENT
   * when GHOSTNET_CPU_CAPABILITY names what this processor does not have
   */
  Array run(const ArrayView& input, Output output, int threads) const;

  /** Throws what run would throw of its input's shape and dtype, without running. */
  static void check_input(DType dtype, const std::vector<int64_t>& shape);

  /**
   * Resizes, crops and classifies photographs of any size in one batch.
   * @param images uint8 [H,W,3], RGB
   * @param top_k how many classes to give for each, at most num_classes
   * @return for each image its best classes, best first; equal scores in the order of their indices
   */
  std::vector<std::vector<ClassScore>> classify(const std::vector<ArrayView>& images, int64_t top_k,
                                                int threads) const;

  /**
   * Resizes and crops photographs of any size to what `run` takes.
   * @param images uint8 [H,W,3], RGB
   * @return uint8 [N,input_size,input_size,3]
   */
  Array prepare(const std::vector<ArrayView>& images, int threads) const;

  /** Copies of all parameters and buffers by their checkpoint keys: float32, counters int64. */
  std::map<std::string, Array> state() const;

 private:
  struct Weights;
  Network(std::shared_ptr<Weights> weights, const Transform& transform, const Computation& computation);

  std::shared_ptr<Weights> weights_;
  Transform transform_;
  Computation computation_;
};

}  // namespace ghostnet
