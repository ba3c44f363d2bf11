/**
 * The training of a network: the interface for the addon, without LibTorch's headers.
 *
 * A trainer has weights of its own, and shares them with no network. Calls are made one at a time, from any
 * thread; those after the constructor from one thread alone, so that it keeps the threads it has started.
 * They throw only Error.
 */
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/array.h"
#include "image/transform.h"
#include "model/architecture.h"
#include "training/settings.h"

namespace ghostnet {

/** The pictures of a step. */
struct Batch {
  Array pixels;                  ///< uint8 [N,S,S,3], RGB, S of at least the input size, N of at least 2
  std::vector<int64_t> labels;   ///< the class of each picture
  std::vector<int64_t> samples;  ///< the number of each picture in the training
  int64_t epoch = 0;             ///< with the number of a picture it determines how the picture is changed
  int64_t step = 0;              ///< of the whole training
  bool is_frozen = false;  ///< only the classifier learns, and batch normalisations keep their statistics
};

struct StepResult {
  double loss;  ///< the mean over the pictures; if it is not finite, the weights were not changed
  double rate;  ///< the learning rate
};

class Trainer {
 public:
  using State = std::map<std::string, ArrayView>;

  /**
   * @param state `model.NAME` for the parameters and buffers of the network, copied; and what state() has
   * returned besides. Without a classifier, it gets new weights as PyTorch initialises them.
   * @param architecture design and form are those of the state
   * @throws Error GHOSTNET_PARAMETERS_MISMATCH, GHOSTNET_BAD_DTYPE, GHOSTNET_OUT_OF_MEMORY;
   * GHOSTNET_INVALID_ARGUMENT if a setting is out of range or the branches of the network are folded
   */
  static std::shared_ptr<Trainer> make(const State& state, Architecture architecture,
                                       const Transform& transform, const TrainingSettings& settings);
  virtual ~Trainer() = default;

  /**
   * One step of the optimiser.
   * @throws Error GHOSTNET_BAD_SHAPE, GHOSTNET_BAD_DTYPE, GHOSTNET_INVALID_ARGUMENT, GHOSTNET_OUT_OF_MEMORY
   */
  virtual StepResult step(const Batch& batch) = 0;

  /** The order in which the samples of an epoch come: each number below `count` once. int64 [count] */
  virtual Array order(int64_t epoch, int64_t count) const = 0;

  /** The weights that a training results in: the average, if there is one. By the names of the network,
   * float32, counters int64. */
  virtual std::map<std::string, Array> weights() const = 0;

  /** Copies of all that the next step depends on: `model.NAME`, `average.NAME`, `optimizer.NAME.PART`. */
  virtual std::map<std::string, Array> state() const = 0;

  /** Bytes of the weights and of what goes with them. */
  virtual int64_t bytes() const = 0;
};

}  // namespace ghostnet
