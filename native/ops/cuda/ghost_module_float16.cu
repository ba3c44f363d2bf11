#include "launch.cuh"

namespace ghostnet::cuda {

template LaunchResult Launches<Half>::fused(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<Half>::primary(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<Half>::cheap(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<Half>::epilogue(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<Half>::layer(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
