/**
 * Runs a CUDA grid on one CPU thread: blocks one after another, the threads of a block as fibers that switch
 * at barriers and warp-wide instructions (and optionally at memory accesses).
 */
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <vector>

#include "checker.h"
#include "fiber.h"

namespace ghostnet::cuda_on_cpu {

/** The order in which runnable threads and blocks run. */
enum class Order {
  forward,
  reverse,
  shuffled,
  preempting,  ///< shuffled, and threads also lose their turn at memory accesses
};

class Machine {
 public:
  static constexpr int kWarp = 32;

  Checker checker;
  Order order = Order::forward;
  unsigned seed = 1;

  /** The kernel is called through a pointer, so that its captures stay on the caller's stack. */
  template <class Kernel>
  void launch(unsigned blocks, int threads, const Kernel& kernel) {
    launch(blocks, threads, [](const void* called) { (*static_cast<const Kernel*>(called))(); }, &kernel);
  }

  // For the running thread.
  int thread() const { return current_; }
  int block() const { return block_; }
  void barrier(const Site& site);
  /** An access of this thread, reported by the instrumentation of the compiler or by a model. */
  void access(Access kind, const void* address, size_t bytes, const Site& site);
  void start_copy(void* shared, const void* global, size_t bytes, size_t read, const Site& site);
  /** Closes a group of the copies that were started since the last group. */
  void end_group();
  /** Lands the copies of all groups but the last `later`. */
  void wait_for_copies(int later, const Site& site);

  /**
   * A warp-wide instruction: all 32 lanes arrive with an operand; for the last lane, `compute` replaces the
   * 32 operands by the 32 results.
   */
  using Compute = void (*)(void* const (&operands)[kWarp]);
  void warp_instruction(const char* name, void* operand, Compute compute, const Site& site);

 private:
  enum class State { ready, at_barrier, at_warp, done };
  struct Copy {
    void* shared;
    const void* global;
    size_t bytes, read;
    int group;
  };
  struct Thread {
    Fiber fiber;
    State state = State::done;
    Site site;  ///< the place where it waits
    int epoch = 0;
    const char* instruction = nullptr;
    void* operand = nullptr;
    Compute compute = nullptr;
    std::vector<Copy> copies;
    int groups = 0;  ///< groups that have ended
  };

  void launch(unsigned blocks, int threads, void (*call)(const void*), const void* kernel);
  static void enter();
  void run_block(int threads);
  bool run_ready(int threads);
  bool release_warps(int threads);
  bool release_barrier(int threads);
  void wait(State state, const Site& site);

  std::vector<Thread> threads_;
  std::vector<int> turn_;
  void (*call_)(const void*) = nullptr;
  const void* kernel_ = nullptr;
  const char* host_stack_ = nullptr;
  int current_ = -1, block_ = 0;
  std::mt19937 random_;
};

/** The only machine of this process, because instrumented code cannot receive one. */
Machine& machine();

}  // namespace ghostnet::cuda_on_cpu
