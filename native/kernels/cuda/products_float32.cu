#include "products.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_as<float>(const ProductCall&, CUstream_st*);

}  // namespace ghostnet::cuda
