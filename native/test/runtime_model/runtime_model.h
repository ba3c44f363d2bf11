/**
 * A strict model of the CUDA runtime: what native/cuda_runtime calls in place of CUDA's. Its streams copy,
 * and do what kernels are given to do, on threads of their own; what its documented rules do not allow is a
 * fault, also where CUDA would let it pass.
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
  int driver = CUDART_VERSION;  ///< 0 where there is none
  int lag = 0;                  ///< of the streams, see Queue
};

/** Begins anew: all that was there is gone. */
void reset(const Setup& setup);

/**
 * Makes one call fail, counted from now on: the first is number 0. It does nothing then; one that gives
 * something back does that nevertheless, as CUDA's, which tell what failed before.
 * @param is_sticky from then on all calls fail and nothing is computed any more
 */
void fail(int number, cudaError_t error, bool is_sticky = false);
/** The name of the call that was made to fail; empty when so many were not made. */
std::string failed_call();

/** What was done against the rules. */
std::vector<std::string> faults();
/** What was made and not given back: "2 events, 1 stream"; empty when nothing. */
std::string left_over();

struct Counts {
  int launches = 0;  ///< of kernels, those in graphs when they are recorded
  int graph_launches = 0;
};
Counts counts();

/** For stand-ins of kernels: gives a stream something to do that touches this memory of the device. */
void launch_kernel(cudaStream_t stream, std::function<void()> run, std::vector<Bytes> touched);

}  // namespace ghostnet::cuda_model
