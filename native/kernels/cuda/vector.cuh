// Sixteen bytes of neighbouring channels as float32 numbers, loaded from and stored to memory of any
// alignment.
#pragma once

#include "device.cuh"

namespace ghostnet::cuda {

/** Channels in 16 bytes. */
template <class T>
inline constexpr int kVector = 16 / static_cast<int>(sizeof(T));

template <class T>
struct Channels {
  float value[kVector<T>];
};

template <class T>
GHOSTNET_DEVICE Channels<T> unpack(const Bytes16& bytes) {
  Channels<T> channels;
#pragma unroll
  for (int i = 0; i < 4; ++i) Word<T>::unpack(bytes.word[i], channels.value + i * (kVector<T> / 4));
  return channels;
}

template <class T>
GHOSTNET_DEVICE Bytes16 pack(const Channels<T>& channels) {
  Bytes16 bytes;
#pragma unroll
  for (int i = 0; i < 4; ++i) bytes.word[i] = Word<T>::pack(channels.value + i * (kVector<T> / 4));
  return bytes;
}

/** Rounds to the nearest T. */
template <class T>
GHOSTNET_DEVICE float rounded(float value) {
  float numbers[2] = {value, 0};
  Word<T>::unpack(Word<T>::pack(numbers), numbers);
  return numbers[0];
}

/** One number of an array of T. */
template <class T>
GHOSTNET_DEVICE float load_element(const char* array, int index) {
  float numbers[2];
  if constexpr (sizeof(T) == 4) {
    Word<T>::unpack(reinterpret_cast<const uint32_t*>(array)[index], numbers);
  } else {
    Word<T>::unpack(reinterpret_cast<const uint16_t*>(array)[index], numbers);
  }
  return numbers[0];
}

/** Shifts in 16 bits at the lower end. */
GHOSTNET_DEVICE void shift_up(Bytes16& bytes) {
#pragma unroll
  for (int i = 3; i > 0; --i) bytes.word[i] = bytes.word[i] << 16 | bytes.word[i - 1] >> 16;
  bytes.word[0] <<= 16;
}
/** Drops the lowest 16 bits. */
GHOSTNET_DEVICE void shift_down(Bytes16& bytes) {
#pragma unroll
  for (int i = 0; i < 3; ++i) bytes.word[i] = bytes.word[i] >> 16 | bytes.word[i + 1] << 16;
  bytes.word[3] >>= 16;
}

/**
 * The first `count` channels at `from`, zeros for the rest.
 * @param access bytes of one access: 16, 8, 4 or 2; divides the address and the bytes of `count` channels
 */
template <class T>
GHOSTNET_DEVICE Channels<T> load_channels(const char* from, int count, int access) {
  constexpr int size = sizeof(T);
  Bytes16 bytes = {};
  if (access == 16) {
    if (count > 0) bytes = load_constant16(from);
  } else if (access == 8) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      if (i * 8 < count * size) {
        const Bytes8 half = load_constant8(from + i * 8);
        bytes.word[2 * i] = half.word[0];
        bytes.word[2 * i + 1] = half.word[1];
      }
    }
  } else {
    // Rare: one number at a time needs fewer registers, and shifting keeps the words in registers.
#pragma unroll 1
    for (int i = 16 - access; i >= 0; i -= access) {
      const bool exists = i < count * size;
      if (access == 4) {
        shift_up(bytes);
        shift_up(bytes);
        if (exists) bytes.word[0] = load_constant(reinterpret_cast<const uint32_t*>(from + i));
      } else {
        shift_up(bytes);
        if (exists) bytes.word[0] |= load_constant(reinterpret_cast<const uint16_t*>(from + i));
      }
    }
  }
  return unpack<T>(bytes);
}

/** Rounds and writes the first `count` channels; `access` as in load_channels. */
template <class T>
GHOSTNET_DEVICE void store_channels(char* to, const Channels<T>& channels, int count, int access) {
  constexpr int size = sizeof(T);
  Bytes16 bytes = pack(channels);
  if (access == 16) {
    if (count > 0) store16(to, bytes);
  } else if (access == 8) {
#pragma unroll
    for (int i = 0; i < 2; ++i) {
      if (i * 8 < count * size) store8(to + i * 8, {{bytes.word[2 * i], bytes.word[2 * i + 1]}});
    }
  } else {
#pragma unroll 1
    for (int i = 0; i < count * size && i < 16; i += access) {
      if (access == 4) {
        *reinterpret_cast<uint32_t*>(to + i) = bytes.word[0];
        shift_down(bytes);
      } else {
        *reinterpret_cast<uint16_t*>(to + i) = static_cast<uint16_t>(bytes.word[0]);
      }
      shift_down(bytes);
    }
  }
}

/** The first `count` of kVector<T> float32 numbers, zeros for the rest; `whole` if 16 bytes can be read at
 * once. */
template <class T>
GHOSTNET_DEVICE Channels<T> load_floats(const float* from, int count, bool whole) {
  Channels<T> numbers;
  if (whole) {
#pragma unroll
    for (int i = 0; i < kVector<T>; i += 4) {
      if (i < count) {
        const Channels<float> four = unpack<float>(load_constant16(from + i));
#pragma unroll
        for (int j = 0; j < 4; ++j) numbers.value[i + j] = four.value[j];
      } else {
#pragma unroll
        for (int j = 0; j < 4; ++j) numbers.value[i + j] = 0;
      }
    }
  } else {
#pragma unroll
    for (int i = 0; i < kVector<T>; ++i) numbers.value[i] = i < count ? load_constant(from + i) : 0;
  }
  return numbers;
}

/** ReLU as LibTorch has it: NaN stays NaN. */
GHOSTNET_DEVICE float sigmoid(float value) { return 1 / (1 + exponential(-value)); }

GHOSTNET_DEVICE float rectified(float value, bool relu) { return relu && value < 0 ? 0.f : value; }

}  // namespace ghostnet::cuda
