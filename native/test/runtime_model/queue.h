/** The work queue of a stream in the model. */
#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <random>
#include <span>
#include <thread>
#include <vector>

namespace ghostnet::cuda_model {

using Bytes = std::span<const std::byte>;

/** A copy or launches, with the memory that they read or write; or a mark, which only sets an order. */
struct Work {
  std::function<void()> run;
  std::vector<Bytes> touched;
  const void* graph = nullptr;  ///< the graph of the work
  bool is_mark = false;
};

/** A point in a queue that others wait for. */
class Moment {
 public:
  void come();
  /** @return false if it did not occur within a minute, because of a circular wait */
  bool wait();

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  bool has_come_ = false;
};

/**
 * Does its work in order on a separate thread. Only waits for points in another queue order two queues, so
 * that ThreadSanitizer sees accesses that are not ordered.
 */
class Queue {
 public:
  /** @param lag the longest wait before a part of its work, in microseconds */
  Queue(int lag, unsigned seed);
  /** Does the remaining work first. */
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  void give(Work work);
  /** After this only marks are processed. */
  void halt();
  /** Whether such work is not done yet. */
  bool holds(const std::function<bool(const Work&)>& is_meant);

 private:
  void loop();

  const int lag_;
  std::mt19937 random_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;  ///< the first is in progress
  bool works_ = false, is_halted_ = false, ends_ = false;
  std::thread thread_;
};

}  // namespace ghostnet::cuda_model
