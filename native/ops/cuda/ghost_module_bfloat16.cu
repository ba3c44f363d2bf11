#include "launch.cuh"

namespace ghostnet::cuda {

template LaunchResult Launches<BFloat16>::fused(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::primary(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::cheap(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::epilogue(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::layer(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
