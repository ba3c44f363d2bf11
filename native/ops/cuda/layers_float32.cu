#include "layer_launch.cuh"

namespace ghostnet::cuda {

template LaunchResult Launches<float>::layer(const StemCall&, CUstream_st*);
template LaunchResult Launches<float>::layer(const DepthwiseCall&, CUstream_st*);
template LaunchResult Launches<float>::layer(const MeansCall&, CUstream_st*);
template LaunchResult Launches<float>::layer(const DenseCall&, CUstream_st*);
template LaunchResult Launches<float>::layer(const AdditionCall&, CUstream_st*);

}  // namespace ghostnet::cuda
