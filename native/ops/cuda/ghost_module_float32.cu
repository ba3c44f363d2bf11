#include "launch.cuh"

namespace ghostnet::cuda {

template LaunchResult Launches<float>::fused(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<float>::primary(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<float>::cheap(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<float>::epilogue(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<float>::layer(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
