#include "launch.cuh"

namespace ghostnet::cuda {

template LaunchResult Launches<Half>::fused(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<Half>::primary(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<Half>::cheap(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<Half>::epilogue(const GhostModuleCall&, CUstream_st*);
template LaunchResult Launches<Half>::layer(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
