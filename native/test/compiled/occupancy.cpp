// Blocks of a kernel that a multiprocessor can hold: occupancy <major> <registers> <shared bytes> <threads>
#include <cuda_occupancy.h>

#include <cstdio>
#include <cstdlib>

int main(int argc, char** argv) {
  if (argc != 5) return 2;
  cudaOccDeviceProp device;
  device.computeMajor = std::atoi(argv[1]);
  device.computeMinor = 0;
  device.maxThreadsPerBlock = 1024;
  device.maxThreadsPerMultiprocessor = 2048;
  device.regsPerBlock = device.regsPerMultiprocessor = 65536;
  device.warpSize = 32;
  device.numSms = device.computeMajor == 8 ? 108 : 132;
  // A100 and H100: the CUDA C++ Programming Guide's table of compute capabilities 8.0 and 9.0.
  device.sharedMemPerMultiprocessor = (device.computeMajor == 8 ? 164 : 228) * 1024;
  device.sharedMemPerBlock = 48 * 1024;
  device.sharedMemPerBlockOptin = device.sharedMemPerMultiprocessor - 1024;
  device.reservedSharedMemPerBlock = 1024;

  cudaOccFuncAttributes kernel;
  kernel.maxThreadsPerBlock = std::atoi(argv[4]);
  kernel.numRegs = std::atoi(argv[2]);
  kernel.sharedSizeBytes = std::atoi(argv[3]);
  kernel.partitionedGCConfig = PARTITIONED_GC_OFF;
  kernel.shmemLimitConfig = FUNC_SHMEM_LIMIT_DEFAULT;
  kernel.maxDynamicSharedSizeBytes = 0;
  kernel.numBlockBarriers = 1;

  cudaOccDeviceState state;
  cudaOccResult result;
  if (cudaOccMaxActiveBlocksPerMultiprocessor(&result, &device, &kernel, &state, std::atoi(argv[4]), 0) !=
      CUDA_OCC_SUCCESS) {
    return 1;
  }
  std::printf("%d\n", result.activeBlocksPerMultiprocessor);
}
