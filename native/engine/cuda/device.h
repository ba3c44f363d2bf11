/**
 * The device that the GPU engine runs on: memory, three streams, events, launches, graphs. The implementation
 * for CUDA is in native/cuda_runtime; that of the tests runs the source of the kernels on a CPU. Without
 * CUDA's headers.
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "kernels/cuda/call.h"

namespace ghostnet::cuda {

/** Work in one stream runs in order; different streams run at the same time. */
enum class Stream { input, compute, output };

/** A point in a stream that others can wait for. Belongs to the device that created it, which outlives it. */
class Event {
 public:
  virtual ~Event() = default;
};

/** Launches recorded once, to be launched together; the addresses in them are fixed. */
class LaunchGraph {
 public:
  virtual ~LaunchGraph() = default;
};

/** All calls may be made from any thread. They throw Error GHOSTNET_CUDA_FAILED if the GPU fails. */
class Device {
 public:
  virtual ~Device() = default;

  /** @throws Error GHOSTNET_OUT_OF_MEMORY */
  virtual std::byte* allocate(size_t bytes) = 0;
  virtual void free(std::byte* memory) noexcept = 0;
  /** Host memory for copies to and from the device. @throws Error GHOSTNET_OUT_OF_MEMORY */
  virtual std::byte* allocate_staging(size_t bytes) = 0;
  virtual void free_staging(std::byte* memory) noexcept = 0;

  /** Copies between staging memory and device memory, or within device memory. */
  virtual void copy(Stream stream, std::byte* to, const std::byte* from, size_t bytes) = 0;
  /** @throws Error GHOSTNET_BAD_SHAPE if the kernels do not support the sizes of a call */
  virtual void launch(Stream stream, const Calls& calls) = 0;
  /** @throws as launch */
  virtual std::unique_ptr<LaunchGraph> record(const Calls& calls) = 0;
  virtual void launch(Stream stream, LaunchGraph& graph) = 0;

  virtual std::unique_ptr<Event> make_event() = 0;
  /** The event occurs when all work submitted to the stream so far is done. */
  virtual void record(Stream stream, Event& event) = 0;
  /** Work submitted to the stream from now on waits for the last recording of the event. */
  virtual void wait(Stream stream, Event& event) = 0;
  /** Returns when the event has occurred. */
  virtual void synchronize(Event& event) = 0;
  /** Returns when all streams are done. */
  virtual void synchronize() = 0;
};

/**
 * Waits for the work of all streams and ignores failures: afterwards no stream uses the memory of a run that
 * failed in flight.
 */
inline void settle(Device& device) noexcept {
  try {
    device.synchronize();
  } catch (...) {
    // A GPU that has failed computes nothing any more.
  }
}

/** Device memory, freed with its owner. */
class Memory {
 public:
  enum class Kind { device, staging };
  Memory(std::shared_ptr<Device> device, Kind kind) : device_(std::move(device)), kind_(kind) {}
  ~Memory() { release(); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /** Makes at least `bytes` of it; what was in there is lost when it grows. Nothing may be using it then. */
  void reserve(size_t bytes) {
    if (bytes <= size_) return;
    release();
    data_ = kind_ == Kind::device ? device_->allocate(bytes) : device_->allocate_staging(bytes);
    size_ = bytes;
  }
  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void release() noexcept {
    if (data_ != nullptr) kind_ == Kind::device ? device_->free(data_) : device_->free_staging(data_);
    data_ = nullptr;
    size_ = 0;
  }

  std::shared_ptr<Device> device_;
  Kind kind_;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace ghostnet::cuda
