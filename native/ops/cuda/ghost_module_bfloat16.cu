#include "launch.cuh"

namespace ghostnet::cuda {

template LaunchResult Launches<BFloat16>::fused(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::primary(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::cheap(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::epilogue(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::layer(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
