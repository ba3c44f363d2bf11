// The only symbol that the GPU library, ghostnet_cuda, exports.
#include "engine/cuda/library.h"

#include "cuda_runtime/cuda_device.h"

extern "C" __attribute__((visibility("default"))) const ghostnet::cuda::Library ghostnet_cuda_library;
const ghostnet::cuda::Library ghostnet_cuda_library = {
    ghostnet::cuda::kInterface, ghostnet::cuda::list_cuda_gpus, ghostnet::cuda::open_cuda_device};
