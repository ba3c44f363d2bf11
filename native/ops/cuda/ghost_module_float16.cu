#include "launch.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_fused<Half>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_primary<Half>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_cheap<Half>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_epilogue<Half>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_layer_of<Half>(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
