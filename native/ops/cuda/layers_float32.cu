#include "layer_launch.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_layer_of<float>(const StemCall&, CUstream_st*);
template LaunchResult launch_layer_of<float>(const DepthwiseCall&, CUstream_st*);
template LaunchResult launch_layer_of<float>(const MeansCall&, CUstream_st*);
template LaunchResult launch_layer_of<float>(const DenseCall&, CUstream_st*);
template LaunchResult launch_layer_of<float>(const AdditionCall&, CUstream_st*);

}  // namespace ghostnet::cuda
