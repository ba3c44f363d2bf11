/** A stack and the place where its code stopped: one per running CUDA thread. */
#pragma once

#include <cstddef>
#include <memory>

#if !defined(__x86_64__) || defined(GHOSTNET_PORTABLE_FIBERS)
#include <ucontext.h>
#endif

namespace ghostnet::cuda_on_cpu {

class Fiber {
 public:
  static constexpr size_t kStackBytes = 64 * 1024;

  Fiber();
  ~Fiber();
  Fiber(Fiber&&) noexcept;
  Fiber(const Fiber&) = delete;
  Fiber& operator=(const Fiber&) = delete;

  /** Makes the next resume() call `entry`, which must never return. The earlier contents of the stack
   * are discarded. */
  void start(void (*entry)());
  /** From the scheduler: runs the fiber until it calls yield(). */
  void resume();
  /** From the fiber: returns to the scheduler. */
  void yield();

  bool owns(const char* address) const {
    return address >= stack_.get() && address < stack_.get() + kStackBytes;
  }

 private:
  std::unique_ptr<char[]> stack_;
#if defined(__x86_64__) && !defined(GHOSTNET_PORTABLE_FIBERS)
  void* own_ = nullptr;
  void* scheduler_ = nullptr;
#else
  std::unique_ptr<ucontext_t> own_, scheduler_;
#endif
};

}  // namespace ghostnet::cuda_on_cpu
