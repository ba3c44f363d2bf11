/**
 * A typed array in our own memory, for passing values between JavaScript and the network.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace ghostnet {

enum class DType { float64, float32, float16, bfloat16, int64, int32, int16, int8, uint8, boolean };

inline constexpr DType kDTypes[] = {DType::float64, DType::float32, DType::float16, DType::bfloat16,
                                    DType::int64,   DType::int32,   DType::int16,   DType::int8,
                                    DType::uint8,   DType::boolean};

const char* name_of(DType dtype);
/** Bytes per element. */
size_t size_of(DType dtype);

/** Zeroed memory, aligned to a cache line. */
class Buffer {
 public:
  /** @throws Error GHOSTNET_OUT_OF_MEMORY */
  explicit Buffer(size_t bytes);
  ~Buffer();
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;

  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  std::byte* data_;
  size_t size_;
};

/** A view, row-major and contiguous: the caller keeps `data` alive during the call. */
struct ArrayView {
  DType dtype;
  std::vector<int64_t> shape;
  const void* data;
};

/** Row-major and contiguous. Owns its memory, which is freed with the last reference. */
struct Array {
  DType dtype;
  std::vector<int64_t> shape;
  std::shared_ptr<Buffer> memory;

  ArrayView view() const { return {dtype, shape, memory->data()}; }
};

/** Product of the dimensions; 1 for a scalar. @throws Error GHOSTNET_BAD_SHAPE if it overflows or a dimension
 * is negative */
int64_t element_count(const std::vector<int64_t>& shape);
/** The size of an array in bytes. @throws Error GHOSTNET_BAD_SHAPE if it overflows */
size_t byte_count(DType dtype, const std::vector<int64_t>& shape);

}  // namespace ghostnet
