/**
 * A network with weights, ready to run: the interface of the model for the addon, without LibTorch's headers.
 *
 * Calls may be made from any thread. Those that take a team run one at a time in the process; for a GPU two
 * per GPU. They throw only Error.
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

/** A class and its score: the softmax over all classes, in [0, 1]. */
struct ClassScore {
  int64_t index;
  float score;
};

class Network {
 public:
  /**
   * A network with new weights, initialised as PyTorch does.
   * @param seed the weights equal those of the reference after torch.manual_seed(seed); random if not given
   * @throws Error GHOSTNET_INVALID_ARGUMENT, the errors of validate(Computation); with a GPU the errors of
   * cuda::open_gpu and GHOSTNET_OUT_OF_MEMORY
   */
  static std::shared_ptr<Network> create(const Architecture& architecture, const Transform& transform,
                                         std::optional<uint64_t> seed, const Computation& computation = {});

  /**
   * The network of a state dict. Floating-point arrays of any width become float32. Networks in the process
   * with the same weights share them.
   * @param architecture inferred from the shapes if not given; its form always is
   * @throws Error GHOSTNET_PARAMETERS_MISMATCH, GHOSTNET_BAD_DTYPE, and as create
   */
  static std::shared_ptr<Network> load(const NamedArrays& arrays, std::optional<Architecture> architecture,
                                       const Transform& transform, const Computation& computation = {});

  ~Network();

  const Architecture& architecture() const;
  const Transform& transform() const { return transform_; }
  /** The GPU that computes the runs; nothing if the CPU does. */
  std::optional<int> gpu() const { return computation_.gpu; }
  /** Bytes of the parameters and buffers. */
  int64_t weight_bytes() const;

  /**
   * @param input float32 [N,3,H,W], already normalised, or uint8 [N,H,W,3], RGB; H and W of at least
   * least_side(architecture)
   * @return float32 [N,num_classes] or [N,kFeatureChannels]
   * @throws Error GHOSTNET_BAD_SHAPE, GHOSTNET_BAD_DTYPE, GHOSTNET_OUT_OF_MEMORY; GHOSTNET_NO_CLASSIFIER for
   * logits without classes; GHOSTNET_INVALID_ARGUMENT if GHOSTNET_CPU_CAPABILITY names an instruction set
   * that this processor lacks
   */
  Array run(const ArrayView& input, Output output, Team& team) const;

  /** Throws the errors of run for an input of this shape and dtype, without running. */
  void check_input(DType dtype, const std::vector<int64_t>& shape) const;

  /**
   * Classifies prepared images in one batch.
   * @param images uint8 [input_size,input_size,3] each, RGB
   * @param top_k number of classes per image, at most num_classes
   * @return for each image its best classes, best first; equal scores in the order of their indices
   * @throws Error as run, and GHOSTNET_INVALID_ARGUMENT for top_k
   */
  std::vector<std::vector<ClassScore>> classify(const std::vector<Array>& images, int64_t top_k,
                                                Team& team) const;

  /**
   * Runs prepared images in one batch.
   * @param images uint8 [input_size,input_size,3] each, RGB
   * @return as run for a batch
   * @throws Error as run
   */
  Array run_images(const std::vector<Array>& images, Output output, Team& team) const;

  /** How the state is returned: as it is, or with the branches folded (Form::deployed). */
  enum class StateForm { own, deployed };
  /** Copies of all parameters and buffers by their checkpoint keys: float32, counters int64. */
  std::map<std::string, Array> state(StateForm form = StateForm::own) const;

 private:
  struct Weights;
  Array gather(const std::vector<Array>& images) const;
  Network(std::shared_ptr<Weights> weights, const Transform& transform, const Computation& computation);

  std::shared_ptr<Weights> weights_;
  Transform transform_;
  Computation computation_;
};

}  // namespace ghostnet
