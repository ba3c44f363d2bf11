/**
 * A strict model of the CUDA runtime, which native/cuda_runtime calls instead of CUDA's. Its streams copy,
 * and do the work of kernels, on their own threads. Violations of the documented rules are faults, even if
 * CUDA would accept them.
 */
#pragma once

#include <cuda_runtime_api.h>

#include <functional>
#include <string>
#include <vector>

#include "engine/cuda/library.h"
#include "queue.h"

namespace ghostnet::cuda_model {

struct Setup {
  std::vector<cuda::Gpu> gpus = {{"Model", 9, 0, int64_t{1} << 30}};
  int driver = CUDART_VERSION;  ///< 0 if there is none
  int lag = 0;                  ///< of the streams, see Queue
};

/** Resets the model and discards all objects. */
void reset(const Setup& setup);

/**
 * Makes one call fail, counted from now on: the first is number 0. The call then does nothing; a call that
 * releases a resource still does so, as in CUDA, where it reports an earlier failure.
 * @param is_sticky from then on all calls fail and nothing is computed
 */
void fail(int number, cudaError_t error, bool is_sticky = false);
/** The name of the call that failed on purpose; empty if there were fewer calls. */
std::string failed_call();

/** The violations of the rules. */
std::vector<std::string> faults();
/** The resources that were not released: "2 events, 1 stream"; empty if none. */
std::string left_over();

struct Counts {
  int launches = 0;  ///< of kernels; those in graphs count when recorded
  int graph_launches = 0;
};
Counts counts();

/** For stand-ins of kernels: submits work to a stream that accesses this device memory. */
void launch_kernel(cudaStream_t stream, std::function<void()> run, std::vector<Bytes> touched);

}  // namespace ghostnet::cuda_model
