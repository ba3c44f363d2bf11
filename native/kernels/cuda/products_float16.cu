#include "products.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_as<Half>(const ProductCall&, CUstream_st*);

}  // namespace ghostnet::cuda
