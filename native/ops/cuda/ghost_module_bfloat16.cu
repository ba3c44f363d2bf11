#include "launch.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_fused<BFloat16>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_primary<BFloat16>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_cheap<BFloat16>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_epilogue<BFloat16>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_layer_of<BFloat16>(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
