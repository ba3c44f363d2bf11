#include "launch.cuh"

namespace ghostnet::cuda {

template LaunchResult Launches<TensorFloat32>::fused(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<TensorFloat32>::primary(const GpuGhostCall&, CUstream_st*);
template LaunchResult Launches<TensorFloat32>::layer(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
