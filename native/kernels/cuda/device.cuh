// The vocabulary of the kernels: one function for each feature that only a GPU has. Under nvcc these are
// CUDA's; under GHOSTNET_CUDA_ON_CPU they are models of the test rig, so that the source of the kernels runs
// on a CPU under a checker. Kernels contain no inline PTX and no CUDA built-ins.
#pragma once

#include <cstdint>

namespace ghostnet::cuda {

/** The 16-bit floating point numbers in memory. */
struct Half {
  uint16_t bits;
};
struct BFloat16 {
  uint16_t bits;
};
/** A float32 in memory, of which tensor cores multiply the upper 19 bits. */
struct TensorFloat32 {
  uint32_t bits;
};

/** The data of one access of 16 or 8 bytes. */
struct alignas(16) Bytes16 {
  uint32_t word[4];
};
struct alignas(8) Bytes8 {
  uint32_t word[2];
};

}  // namespace ghostnet::cuda

#ifdef GHOSTNET_CUDA_ON_CPU
#include "device_on_cpu.h"
#else

#include <cuda_bf16.h>
#include <cuda_fp16.h>
#include <cuda_runtime.h>

#define GHOSTNET_DEVICE __device__ __forceinline__
#define GHOSTNET_KERNEL(threads, blocks) __global__ void __launch_bounds__(threads, blocks)
#define GHOSTNET_SHARED(name, bytes) __shared__ __align__(16) char name[bytes]
#define GHOSTNET_LAUNCH(blocks, threads, stream, kernel, ...) \
  kernel<<<blocks, threads, 0, stream>>>(__VA_ARGS__)

namespace ghostnet::cuda {

GHOSTNET_DEVICE int thread_index() { return static_cast<int>(threadIdx.x); }
/** Volatile, so that values derived from one read need not stay in registers until the next. */
GHOSTNET_DEVICE int block_index() {
  int index;
  asm volatile("mov.u32 %0, %%ctaid.x;" : "=r"(index));
  return index;
}
GHOSTNET_DEVICE void block_barrier() { __syncthreads(); }

/** Loads through the read-only path, from memory that is not written while the kernel runs. */
template <class T>
GHOSTNET_DEVICE T load_constant(const T* from) {
  return __ldg(from);
}
GHOSTNET_DEVICE Bytes16 load_constant16(const void* from) {
  const uint4 v = __ldg(static_cast<const uint4*>(from));
  return {{v.x, v.y, v.z, v.w}};
}
GHOSTNET_DEVICE Bytes8 load_constant8(const void* from) {
  const uint2 v = __ldg(static_cast<const uint2*>(from));
  return {{v.x, v.y}};
}

GHOSTNET_DEVICE Bytes16 load_shared16(const void* from) {
  const uint4 v = *static_cast<const uint4*>(from);
  return {{v.x, v.y, v.z, v.w}};
}

GHOSTNET_DEVICE void store16(void* to, const Bytes16& v) {
  *static_cast<uint4*>(to) = make_uint4(v.word[0], v.word[1], v.word[2], v.word[3]);
}
GHOSTNET_DEVICE void store8(void* to, const Bytes8& v) {
  *static_cast<uint2*>(to) = make_uint2(v.word[0], v.word[1]);
}

GHOSTNET_DEVICE uint32_t shared_address(const void* pointer) {
  return static_cast<uint32_t>(__cvta_generic_to_shared(pointer));
}

/**
 * Starts a copy of kBytes (4, 8 or 16) from global to shared memory, or fills with zeros without reading. The
 * copying thread may access the bytes after async_wait() has waited for their group, other threads after a
 * barrier that follows.
 */
template <int kBytes>
GHOSTNET_DEVICE void async_copy(void* shared, const void* global, bool read) {
  const int bytes = read ? kBytes : 0;
  if constexpr (kBytes == 16) {
    asm volatile("cp.async.cg.shared.global [%0], [%1], 16, %2;\n" ::"r"(shared_address(shared)), "l"(global),
                 "r"(bytes)
                 : "memory");
  } else {
    asm volatile("cp.async.ca.shared.global [%0], [%1], %3, %2;\n" ::"r"(shared_address(shared)), "l"(global),
                 "r"(bytes), "n"(kBytes)
                 : "memory");
  }
}
/** Closes a group, perhaps empty, of the copies that this thread has started since the last group. */
GHOSTNET_DEVICE void async_group() { asm volatile("cp.async.commit_group;\n" ::: "memory"); }
/** Waits for all groups of this thread except the last kLater. */
template <int kLater>
GHOSTNET_DEVICE void async_wait() {
  asm volatile("cp.async.wait_group %0;\n" ::"n"(kLater) : "memory");
}

/** Loads four 8x8 matrices of 16-bit elements; lane l passes the address of row l%8 of matrix l/8. */
GHOSTNET_DEVICE void load_matrices(uint32_t (&fragment)[4], const void* row) {
  asm volatile("ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%0,%1,%2,%3}, [%4];\n"
               : "=r"(fragment[0]), "=r"(fragment[1]), "=r"(fragment[2]), "=r"(fragment[3])
               : "r"(shared_address(row))
               : "memory");
}

/** sum(16x8) += a(16x16, rows) * b(16x8, columns), in float32. */
template <class T>
GHOSTNET_DEVICE void multiply_accumulate(float (&sum)[4], const uint32_t (&a)[4], uint32_t b_low,
                                         uint32_t b_high);
template <>
GHOSTNET_DEVICE void multiply_accumulate<Half>(float (&sum)[4], const uint32_t (&a)[4], uint32_t b_low,
                                               uint32_t b_high) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.f16.f16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};\n"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b_low), "r"(b_high));
}
template <>
GHOSTNET_DEVICE void multiply_accumulate<BFloat16>(float (&sum)[4], const uint32_t (&a)[4], uint32_t b_low,
                                                   uint32_t b_high) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};\n"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b_low), "r"(b_high));
}

/** The same for half the depth: a(16x8), b(8x8), with elements from nearest_tensor_float(). */
template <>
GHOSTNET_DEVICE void multiply_accumulate<TensorFloat32>(float (&sum)[4], const uint32_t (&a)[4],
                                                        uint32_t b_low, uint32_t b_high) {
  asm volatile(
      "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 {%0,%1,%2,%3}, {%4,%5,%6,%7}, {%8,%9}, "
      "{%0,%1,%2,%3};\n"
      : "+f"(sum[0]), "+f"(sum[1]), "+f"(sum[2]), "+f"(sum[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b_low), "r"(b_high));
}
/** The bits of a float32, rounded to the 10 fraction bits that tensor cores read, ties away from zero. */
GHOSTNET_DEVICE uint32_t nearest_tensor_float(uint32_t bits) {
  uint32_t nearest;
  asm("cvt.rna.tf32.f32 %0, %1;" : "=r"(nearest) : "f"(__uint_as_float(bits)));
  return nearest;
}

/** exp(value), within two units in the last place. */
GHOSTNET_DEVICE float exponential(float value) { return expf(value); }

/** The sum of the values of all 32 lanes, the same in each lane. */
GHOSTNET_DEVICE float warp_sum(float value) {
#pragma unroll
  for (int distance = 16; distance > 0; distance /= 2) {
    value += __shfl_xor_sync(0xffffffffu, value, distance);
  }
  return value;
}

/** The numbers in one 32-bit word, and the reverse (rounded to nearest, ties to even). */
template <class T>
struct Word;
template <>
struct Word<float> {
  static GHOSTNET_DEVICE void unpack(uint32_t word, float* numbers) { numbers[0] = __uint_as_float(word); }
  static GHOSTNET_DEVICE uint32_t pack(const float* numbers) { return __float_as_uint(numbers[0]); }
};
template <>
struct Word<TensorFloat32> : Word<float> {};
template <>
struct Word<Half> {
  static GHOSTNET_DEVICE void unpack(uint32_t word, float* numbers) {
    const float2 pair = __half22float2(*reinterpret_cast<const __half2*>(&word));
    numbers[0] = pair.x;
    numbers[1] = pair.y;
  }
  static GHOSTNET_DEVICE uint32_t pack(const float* numbers) {
    const __half2 pair = __floats2half2_rn(numbers[0], numbers[1]);
    return *reinterpret_cast<const uint32_t*>(&pair);
  }
};
template <>
struct Word<BFloat16> {
  static GHOSTNET_DEVICE void unpack(uint32_t word, float* numbers) {
    numbers[0] = __uint_as_float(word << 16);
    numbers[1] = __uint_as_float(word & 0xffff0000u);
  }
  static GHOSTNET_DEVICE uint32_t pack(const float* numbers) {
    const __nv_bfloat162 pair = __floats2bfloat162_rn(numbers[0], numbers[1]);
    return *reinterpret_cast<const uint32_t*>(&pair);
  }
};

}  // namespace ghostnet::cuda

#endif
