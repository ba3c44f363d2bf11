#include "launch.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_fused<float>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_primary<float>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_cheap<float>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_epilogue<float>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_layer_of<float>(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
