#include "engine/cuda/device.h"

namespace ghostnet::cuda {

void settle(Device& device) noexcept {
  try {
    device.synchronize();
  } catch (...) {
    // A failed GPU computes nothing more.
  }
}

void Memory::reserve(size_t bytes) {
  if (bytes <= size_) return;
  release();
  data_ = kind_ == Kind::device ? device_->allocate(bytes) : device_->allocate_staging(bytes);
  size_ = bytes;
}

void Memory::release() noexcept {
  if (data_ != nullptr) kind_ == Kind::device ? device_->free(data_) : device_->free_staging(data_);
  data_ = nullptr;
  size_ = 0;
}

}  // namespace ghostnet::cuda
