#include "layers.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_as<BFloat16>(const LayerCall&, CUstream_st*);

}  // namespace ghostnet::cuda
