/**
 * The interface of the CPU engine, the GPU engine and the reference.
 */
#pragma once

#include "base/array.h"
#include "engine/team.h"
#include "image/transform.h"

namespace ghostnet {

/** What a run gives back. */
enum class Output {
  logits,    ///< [N,num_classes]
  features,  ///< [N,kFeatureChannels], what the classifier sees: the embedding
};

/** A run of a batch. */
struct Request {
  const ArrayView& input;  ///< float32 [N,3,H,W], already normalised, or uint8 [N,H,W,3], RGB; checked
  const Transform& transform;
  Output output;
  Team& team;  ///< of CPU threads, at most kMaxThreads; not used by a GPU
};

class Runner {
 public:
  Runner() = default;
  virtual ~Runner() = default;
  Runner(const Runner&) = delete;
  Runner& operator=(const Runner&) = delete;

  /**
   * @param result [N,columns(output)]; every element is written
   * @throws Error GHOSTNET_OUT_OF_MEMORY, and the errors of the kind of runner
   */
  virtual void run(const Request& request, float* result) = 0;
  /** Values per image. */
  virtual int64_t columns(Output output) const = 0;
};

}  // namespace ghostnet
