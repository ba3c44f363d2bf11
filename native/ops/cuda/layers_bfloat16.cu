#include "layer_launch.cuh"

namespace ghostnet::cuda {

template LaunchResult Launches<BFloat16>::layer(const StemCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::layer(const DepthwiseCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::layer(const MeansCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::layer(const DenseCall&, CUstream_st*);
template LaunchResult Launches<BFloat16>::layer(const AdditionCall&, CUstream_st*);

}  // namespace ghostnet::cuda
