#include "layer_launch.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_layer_of<Half>(const StemCall&, CUstream_st*);
template LaunchResult launch_layer_of<Half>(const DepthwiseCall&, CUstream_st*);
template LaunchResult launch_layer_of<Half>(const MeansCall&, CUstream_st*);
template LaunchResult launch_layer_of<Half>(const DenseCall&, CUstream_st*);
template LaunchResult launch_layer_of<Half>(const AdditionCall&, CUstream_st*);

}  // namespace ghostnet::cuda
