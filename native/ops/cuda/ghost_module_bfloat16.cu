#include "launch.cuh"

namespace ghostnet::cuda {

LaunchResult launch_fused_bfloat16(const GhostModuleCall& call, CUstream_st* stream) {
  return launch_fused<BFloat16>(call, stream);
}

LaunchResult launch_in_two_bfloat16(const GhostModuleCall& call, CUstream_st* stream) {
  return launch_in_two<BFloat16>(call, stream);
}

template LaunchResult launch_layer_of<BFloat16>(const PointwiseCall&, CUstream_st*);

}  // namespace ghostnet::cuda
