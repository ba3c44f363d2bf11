/**
 * A GPU for the engine, simulated on this CPU: the source of the kernels runs on the machine, under its
 * checker, and the streams work as late, and in as adverse an order, as events allow.
 */
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <random>

#include "engine/cuda/device.h"

namespace ghostnet::cuda_on_cpu {

class RigDevice : public cuda::Device {
 public:
  explicit RigDevice(unsigned seed = 1);

  std::byte* allocate(size_t bytes) override;
  void free(std::byte* memory) noexcept override;
  std::byte* allocate_staging(size_t bytes) override;
  void free_staging(std::byte* memory) noexcept override;
  void copy(cuda::Stream stream, std::byte* to, const std::byte* from, size_t bytes) override;
  void launch(cuda::Stream stream, const cuda::Calls& calls) override;
  std::unique_ptr<cuda::LaunchGraph> record(const cuda::Calls& calls) override;
  void launch(cuda::Stream stream, cuda::LaunchGraph& graph) override;
  std::unique_ptr<cuda::Event> make_event() override;
  void record(cuda::Stream stream, cuda::Event& event) override;
  void wait(cuda::Stream stream, cuda::Event& event) override;
  void synchronize(cuda::Event& event) override;
  void synchronize() override;

  /** The faults of kernels and streams, if any. */
  std::vector<std::string> faults() const;
  /** Bytes that can still be allocated; the next allocation beyond them throws. */
  void set_memory(size_t bytes) { left_ = bytes; }

  struct Counts {
    int launches = 0;       ///< of kernels, single and in graphs
    int ghost_modules = 0;  ///< whole modules in one launch
    int graphs = 0;         ///< recorded
    int graph_launches = 0;
    int allocations = 0;
    int64_t bytes = 0;     ///< allocated on the device now
    int copied_ahead = 0;  ///< input copies done before the computation of another batch
  };
  Counts counts() const;
  void reset_counts();

 private:
  struct Task {
    std::function<void()> work;
    std::function<bool()> may_run;
  };
  static constexpr size_t kStreams = 3;

  void give(cuda::Stream stream, std::function<void()> work, std::function<bool()> may_run);
  void run_until(const std::function<bool()>& reached);
  void run_calls(const cuda::Calls& calls);
  std::byte* take(size_t bytes, bool on_device);

  mutable std::mutex mutex_;
  std::deque<Task> streams_[kStreams];
  std::mt19937 random_;
  std::map<std::byte*, std::vector<std::byte>> memory_;
  std::vector<std::string> faults_;
  Counts counts_;
  size_t left_ = size_t{1} << 40;
};

}  // namespace ghostnet::cuda_on_cpu
