#include "base/array.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>

#include "base/error.h"

namespace ghostnet {

const char* name_of(DType dtype) {
  constexpr const char* kNames[] = {"float64", "float32", "float16", "bfloat16", "int64",
                                    "int32",   "int16",   "int8",    "uint8",    "bool"};
  static_assert(std::size(kNames) == std::size(kDTypes));
  return kNames[static_cast<size_t>(dtype)];
}

size_t size_of(DType dtype) {
  switch (dtype) {
    case DType::float64:
    case DType::int64:
      return 8;
    case DType::float32:
    case DType::int32:
      return 4;
    case DType::float16:
    case DType::bfloat16:
    case DType::int16:
      return 2;
    case DType::int8:
    case DType::uint8:
    case DType::boolean:
      return 1;
  }
  return 0;
}

namespace {

constexpr size_t kCacheLine = 64;

std::byte* allocate(size_t bytes) {
  // A length of zero also gets an address, so that callers need no special case.
  const size_t rounded = (std::max<size_t>(bytes, 1) + kCacheLine - 1) / kCacheLine * kCacheLine;
  void* memory = rounded < bytes ? nullptr : std::aligned_alloc(kCacheLine, rounded);
  if (memory == nullptr) {
    throw Error(ErrorCode::GHOSTNET_OUT_OF_MEMORY, "Not enough memory for an array",
                "a request for " + std::to_string(bytes) + " bytes");
  }
  std::memset(memory, 0, rounded);
  return static_cast<std::byte*>(memory);
}

}  // namespace

Buffer::Buffer(size_t bytes) : data_(allocate(bytes)), size_(bytes) {}
Buffer::~Buffer() { std::free(data_); }

int64_t element_count(const std::vector<int64_t>& shape) {
  int64_t count = 1;
  for (const int64_t length : shape) {
    if (length < 0 || __builtin_mul_overflow(count, length, &count)) {
      throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "The shape is invalid", text_of(shape),
                  "dimensions of at least 0 whose product fits in 63 bits");
    }
  }
  return count;
}

size_t byte_count(DType dtype, const std::vector<int64_t>& shape) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(element_count(shape), static_cast<int64_t>(size_of(dtype)), &bytes)) {
    throw Error(ErrorCode::GHOSTNET_BAD_SHAPE, "The shape is invalid", text_of(shape),
                "an array whose size in bytes fits in 63 bits");
  }
  return static_cast<size_t>(bytes);
}

}  // namespace ghostnet
