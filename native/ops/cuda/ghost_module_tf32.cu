#include "launch.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_fused<TensorFloat32>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_primary<TensorFloat32>(const GhostModuleCall&, CUstream_st*);
template LaunchResult launch_layer_of<TensorFloat32>(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
