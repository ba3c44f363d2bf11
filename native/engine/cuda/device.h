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

/** Launches recorded once and launched together; their addresses are fixed. */
class Graph {
 public:
  virtual ~Graph() = default;
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
  virtual std::unique_ptr<Graph> record(const Calls& calls) = 0;
  virtual void launch(Stream stream, Graph& graph) = 0;

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
void settle(Device& device) noexcept;

/** Device memory, freed with its owner. */
class Memory {
 public:
  enum class Kind { device, staging };
  Memory(std::shared_ptr<Device> device, Kind kind) : device_(std::move(device)), kind_(kind) {}
  ~Memory() { release(); }
  Memory(const Memory&) = delete;
  Memory& operator=(const Memory&) = delete;

  /** Grows to at least `bytes`; growing loses the contents. The memory must not be in use then. */
  void reserve(size_t bytes);
  std::byte* data() const { return data_; }
  size_t size() const { return size_; }

 private:
  void release() noexcept;

  std::shared_ptr<Device> device_;
  Kind kind_;
  std::byte* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace ghostnet::cuda
