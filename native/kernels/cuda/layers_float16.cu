#include "layers.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_as<Half>(const LayerCall&, CUstream_st*);

}  // namespace ghostnet::cuda
