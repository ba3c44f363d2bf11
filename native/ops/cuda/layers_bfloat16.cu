#include "layer_launch.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_layer_of<BFloat16>(const StemCall&, CUstream_st*);
template LaunchResult launch_layer_of<BFloat16>(const DepthwiseCall&, CUstream_st*);
template LaunchResult launch_layer_of<BFloat16>(const MeansCall&, CUstream_st*);
template LaunchResult launch_layer_of<BFloat16>(const DenseCall&, CUstream_st*);
template LaunchResult launch_layer_of<BFloat16>(const AdditionCall&, CUstream_st*);

}  // namespace ghostnet::cuda
