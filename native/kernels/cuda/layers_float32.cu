#include "layers.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_as<float>(const LayerCall&, CUstream_st*);

}  // namespace ghostnet::cuda
