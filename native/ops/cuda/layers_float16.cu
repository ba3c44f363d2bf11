#include "layer_launch.cuh"

namespace ghostnet::cuda {

template LaunchResult Launches<Half>::layer(const StemCall&, CUstream_st*);
template LaunchResult Launches<Half>::layer(const DepthwiseCall&, CUstream_st*);
template LaunchResult Launches<Half>::layer(const MeansCall&, CUstream_st*);
template LaunchResult Launches<Half>::layer(const DenseCall&, CUstream_st*);
template LaunchResult Launches<Half>::layer(const AdditionCall&, CUstream_st*);

}  // namespace ghostnet::cuda
