#include "launch.cuh"

namespace ghostnet::cuda {

LaunchResult launch_fused_float32(const GhostModuleCall& call, CUstream_st* stream) {
  return launch_fused<float>(call, stream);
}

LaunchResult launch_in_two_float32(const GhostModuleCall& call, CUstream_st* stream) {
  return launch_in_two<float>(call, stream);
}

template LaunchResult launch_layer_of<float>(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
