#include "launch.cuh"

namespace ghostnet::cuda {

template LaunchResult Launches<float>::fused(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<float>::primary(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<float>::cheap(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<float>::epilogue(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<float>::layer(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
