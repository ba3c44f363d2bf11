#include "products.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_as<TensorFloat32>(const ProductCall&, CUstream_st*);

}  // namespace ghostnet::cuda
