#include "products.cuh"

namespace ghostnet::cuda {

template LaunchResult launch_as<BFloat16>(const ProductCall&, CUstream_st*);

}  // namespace ghostnet::cuda
