// The models behind native/kernels/cuda/device.cuh if GHOSTNET_CUDA_ON_CPU is set: each computes what its
// operation does on a GPU, and reports it to the machine and its checker.
#pragma once

#include <bit>
#include <cmath>
#include <cstring>
#include <source_location>
#include <type_traits>

#include "machine.h"
#include "numbers.h"
#include "tensor_float.h"

#define GHOSTNET_DEVICE inline
/** The models report their accesses to the checker themselves, so the compiler must not instrument them. */
#define GHOSTNET_UNSEEN __attribute__((no_sanitize("thread")))
#define GHOSTNET_KERNEL(threads, blocks) void
#define GHOSTNET_SHARED(name, bytes) \
  char* const name = ::ghostnet::cuda_on_cpu::machine().checker.shared(bytes)
#define GHOSTNET_LAUNCH(blocks, threads, stream, kernel, ...) \
  (static_cast<void>(stream),                                 \
   ::ghostnet::cuda_on_cpu::machine().launch(blocks, threads, [&] { (kernel)(__VA_ARGS__); }))

namespace ghostnet::cuda {

using Location = std::source_location;

inline cuda_on_cpu::Site site_of(const Location& at) { return {at.file_name(), at.line(), nullptr}; }
inline void see(cuda_on_cpu::Access kind, const void* address, size_t bytes, const Location& at) {
  cuda_on_cpu::machine().access(kind, address, bytes, site_of(at));
}

inline int thread_index() { return cuda_on_cpu::machine().thread(); }
inline int block_index() { return cuda_on_cpu::machine().block(); }
inline void block_barrier(const Location& at = Location::current()) {
  cuda_on_cpu::machine().barrier(site_of(at));
}

template <class T>
GHOSTNET_UNSEEN T load_seen(const void* from, const Location& at) {
  see(cuda_on_cpu::Access::read, from, sizeof(T), at);
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}
template <class T>
GHOSTNET_UNSEEN void store_seen(void* to, const T& value, const Location& at) {
  see(cuda_on_cpu::Access::write, to, sizeof(T), at);
  std::memcpy(to, &value, sizeof(T));
}

template <class T>
T load_constant(const T* from, const Location& at = Location::current()) {
  return load_seen<T>(from, at);
}
inline Bytes16 load_constant16(const void* from, const Location& at = Location::current()) {
  return load_seen<Bytes16>(from, at);
}
inline Bytes8 load_constant8(const void* from, const Location& at = Location::current()) {
  return load_seen<Bytes8>(from, at);
}
inline Bytes16 load_shared16(const void* from, const Location& at = Location::current()) {
  return load_seen<Bytes16>(from, at);
}
inline void store16(void* to, const Bytes16& value, const Location& at = Location::current()) {
  store_seen(to, value, at);
}
inline void store8(void* to, const Bytes8& value, const Location& at = Location::current()) {
  store_seen(to, value, at);
}

template <int kBytes>
void async_copy(void* shared, const void* global, bool read, const Location& at = Location::current()) {
  cuda_on_cpu::machine().start_copy(shared, global, kBytes, read ? kBytes : 0, site_of(at));
}
inline void async_group() { cuda_on_cpu::machine().end_group(); }
template <int kLater>
void async_wait(const Location& at = Location::current()) {
  cuda_on_cpu::machine().wait_for_copies(kLater, site_of(at));
}

namespace model {

constexpr int kWarp = cuda_on_cpu::Machine::kWarp;

struct LoadMatrices {
  const void* row;
  uint32_t fragment[4];
};
/** ldmatrix .x4: register i of lane t is the t%4-th pair of row t/4 of matrix i; lane 8i + t/4 passed the
 * address of the row. */
inline void load_matrices(void* const (&operands)[kWarp]) {
  for (int lane = 0; lane < kWarp; ++lane) {
    auto* to = static_cast<LoadMatrices*>(operands[lane]);
    for (int i = 0; i < 4; ++i) {
      const auto* from = static_cast<LoadMatrices*>(operands[i * 8 + lane / 4]);
      std::memcpy(&to->fragment[i], static_cast<const char*>(from->row) + lane % 4 * 4, 4);
    }
  }
}

struct MultiplyAccumulate {
  float* sum;
  const uint32_t* a;
  uint32_t b[2];
};
/** The end of every mma.sync m16n8: lane's sums are rows g and g+8 at columns 2q and 2q+1. */
template <int depth>
void add_products(void* const (&operands)[kWarp], const float (&a)[16][depth], const float (&b)[depth][8]) {
  for (int lane = 0; lane < kWarp; ++lane) {
    const auto* to = static_cast<MultiplyAccumulate*>(operands[lane]);
    for (int i = 0; i < 4; ++i) {
      const int row = lane / 4 + 8 * (i >> 1), column = lane % 4 * 2 + (i & 1);
      float sum = 0;
      for (int k = 0; k < depth; ++k) sum += a[row][k] * b[k][column];
      to->sum[i] += sum;
    }
  }
}
/**
 * mma.sync m16n8k16, fragments as the PTX ISA lays them out. With g = lane/4 and q = lane%4: a holds rows g
 * and g+8 (bit 0 of the register) at columns 2q and 2q+8 (bit 1); b rows 2q and 2q+8 of column g.
 */
template <float (*to_float)(uint16_t)>
void multiply_accumulate(void* const (&operands)[kWarp]) {
  const auto number = [](uint32_t word, int half) {
    return to_float(static_cast<uint16_t>(word >> (16 * half)));
  };
  float a[16][16], b[16][8];
  for (int lane = 0; lane < kWarp; ++lane) {
    const auto* from = static_cast<MultiplyAccumulate*>(operands[lane]);
    const int g = lane / 4, q = lane % 4;
    for (int half = 0; half < 2; ++half) {
      for (int i = 0; i < 4; ++i) a[g + 8 * (i & 1)][2 * q + 8 * (i >> 1) + half] = number(from->a[i], half);
      for (int i = 0; i < 2; ++i) b[2 * q + 8 * i + half][g] = number(from->b[i], half);
    }
  }
  add_products(operands, a, b);
}

/** m16n8k8 of tf32: a holds rows g and g+8 (bit 0 of the register) at columns q and q+4 (bit 1); b rows q and
 * q+4 of column g; the sums as above. */
inline void multiply_accumulate_tensor_floats(void* const (&operands)[kWarp]) {
  float a[16][8], b[8][8];
  for (int lane = 0; lane < kWarp; ++lane) {
    const auto* from = static_cast<MultiplyAccumulate*>(operands[lane]);
    const int g = lane / 4, q = lane % 4;
    for (int i = 0; i < 4; ++i)
      a[g + 8 * (i & 1)][q + 4 * (i >> 1)] = cuda_on_cpu::tensor_float_of(from->a[i]);
    for (int i = 0; i < 2; ++i) b[q + 4 * i][g] = cuda_on_cpu::tensor_float_of(from->b[i]);
  }
  add_products(operands, a, b);
}

/** shfl.sync.bfly at distances 16, 8, 4, 2, 1, each added to the value of the lane. */
inline void warp_sum(void* const (&operands)[kWarp]) {
  for (int distance = kWarp / 2; distance > 0; distance /= 2) {
    float before[kWarp];
    for (int lane = 0; lane < kWarp; ++lane) before[lane] = *static_cast<float*>(operands[lane]);
    for (int lane = 0; lane < kWarp; ++lane) {
      *static_cast<float*>(operands[lane]) = before[lane] + before[lane ^ distance];
    }
  }
}

}  // namespace model

inline float exponential(float value) { return std::exp(value); }

inline float warp_sum(float value, const Location& at = Location::current()) {
  cuda_on_cpu::machine().warp_instruction("shfl.sync", &value, model::warp_sum, site_of(at));
  return value;
}

inline void load_matrices(uint32_t (&fragment)[4], const void* row,
                          const Location& at = Location::current()) {
  see(cuda_on_cpu::Access::read, row, 16, at);
  model::LoadMatrices operand = {row, {}};
  cuda_on_cpu::machine().warp_instruction("ldmatrix", &operand, model::load_matrices, site_of(at));
  std::memcpy(fragment, operand.fragment, sizeof fragment);
}

template <class T>
void multiply_accumulate(float (&sum)[4], const uint32_t (&a)[4], uint32_t b_low, uint32_t b_high,
                         const Location& at = Location::current()) {
  model::MultiplyAccumulate operand = {sum, a, {b_low, b_high}};
  constexpr auto compute = std::is_same_v<T, Half>       ? model::multiply_accumulate<float_of_half>
                           : std::is_same_v<T, BFloat16> ? model::multiply_accumulate<float_of_bfloat16>
                                                         : model::multiply_accumulate_tensor_floats;
  cuda_on_cpu::machine().warp_instruction("mma.sync", &operand, compute, site_of(at));
}

inline uint32_t nearest_tensor_float(uint32_t bits) { return cuda_on_cpu::nearest_tensor_float(bits); }

template <class T>
struct Word;
template <>
struct Word<float> {
  static void unpack(uint32_t word, float* numbers) { numbers[0] = std::bit_cast<float>(word); }
  static uint32_t pack(const float* numbers) { return std::bit_cast<uint32_t>(numbers[0]); }
};
template <>
struct Word<TensorFloat32> : Word<float> {};
template <float (*to_float)(uint16_t), uint16_t (*from_float)(float)>
struct PairWord {
  static void unpack(uint32_t word, float* numbers) {
    numbers[0] = to_float(static_cast<uint16_t>(word));
    numbers[1] = to_float(static_cast<uint16_t>(word >> 16));
  }
  static uint32_t pack(const float* numbers) {
    return from_float(numbers[0]) | uint32_t{from_float(numbers[1])} << 16;
  }
};
template <>
struct Word<Half> : PairWord<float_of_half, half_of> {};
template <>
struct Word<BFloat16> : PairWord<float_of_bfloat16, bfloat16_of> {};

}  // namespace ghostnet::cuda
