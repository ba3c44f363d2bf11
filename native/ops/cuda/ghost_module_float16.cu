#include "launch.cuh"

namespace ghostnet::cuda {

LaunchResult launch_fused_float16(const GhostModuleCall& call, CUstream_st* stream) {
  return launch_fused<Half>(call, stream);
}

LaunchResult launch_in_two_float16(const GhostModuleCall& call, CUstream_st* stream) {
  return launch_in_two<Half>(call, stream);
}

template LaunchResult launch_layer_of<Half>(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
