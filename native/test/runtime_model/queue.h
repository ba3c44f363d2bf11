/** What a stream of the model does its work with. */
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

/** A copy or launches, with the memory that they read or write; or a mark, which is there for the order. */
struct Work {
  std::function<void()> run;
  std::vector<Bytes> touched;
  const void* graph = nullptr;  ///< that it came from
  bool is_mark = false;
};

/** A moment that a queue comes to and others wait for. */
class Moment {
 public:
  void come();
  /** @return false when it did not come in a minute: something waits for itself */
  bool wait();

 private:
  std::mutex mutex_;
  std::condition_variable came_;
  bool has_come_ = false;
};

/**
 * Does what it is given, one after another, on a thread of its own. Nothing orders two queues but the moments
 * of one that another waits for, so that ThreadSanitizer sees what they leave unordered.
 */
class Queue {
 public:
  /** @param lag how many microseconds it waits at most before a part of its work */
  Queue(int lag, unsigned seed);
  /** Does what is left first. */
  ~Queue();
  Queue(const Queue&) = delete;
  Queue& operator=(const Queue&) = delete;

  void give(Work work);
  /** After this nothing is done any more, but for the marks. */
  void halt();
  /** Whether there is such work that is not done yet. */
  bool holds(const std::function<bool(const Work&)>& is_meant);

 private:
  void loop();

  const int lag_;
  std::mt19937 random_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Work> waiting_;  ///< the first one is being done
  bool works_ = false, is_halted_ = false, ends_ = false;
  std::thread thread_;
};

}  // namespace ghostnet::cuda_model
