#include "fiber.h"

#include <cstdint>

namespace ghostnet::cuda_on_cpu {

Fiber::~Fiber() = default;
Fiber::Fiber(Fiber&&) noexcept = default;

#if defined(__x86_64__) && !defined(GHOSTNET_PORTABLE_FIBERS)

// swapcontext() makes a system call each time, and an mma.sync switches 32 fibers. This function saves the
// registers that the ABI preserves over a call: the stack pointer goes to *save, and `to` is the stack
// pointer saved by an earlier call.
extern "C" void ghostnet_switch_stack(void** save, void* to);
asm(R"(
  .text
  .type ghostnet_switch_stack, @function
ghostnet_switch_stack:
  push %rbp
  push %rbx
  push %r12
  push %r13
  push %r14
  push %r15
  mov %rsp, (%rdi)
  mov %rsi, %rsp
  pop %r15
  pop %r14
  pop %r13
  pop %r12
  pop %rbx
  pop %rbp
  ret
  .size ghostnet_switch_stack, . - ghostnet_switch_stack
)");

Fiber::Fiber() : stack_(new char[kStackBytes]) {}

void Fiber::start(void (*entry)()) {
  const auto top = reinterpret_cast<uintptr_t>(stack_.get() + kStackBytes) & ~uintptr_t{15};
  void** stack = reinterpret_cast<void**>(top);
  *--stack = nullptr;  // entry's own return address, which it never uses
  *--stack = reinterpret_cast<void*>(entry);
  for (int saved = 0; saved < 6; ++saved) *--stack = nullptr;
  own_ = stack;
}

void Fiber::resume() { ghostnet_switch_stack(&scheduler_, own_); }
void Fiber::yield() { ghostnet_switch_stack(&own_, scheduler_); }

#else

Fiber::Fiber()
    : stack_(new char[kStackBytes]),
      own_(std::make_unique<ucontext_t>()),
      scheduler_(std::make_unique<ucontext_t>()) {}

void Fiber::start(void (*entry)()) {
  getcontext(own_.get());
  own_->uc_stack.ss_sp = stack_.get();
  own_->uc_stack.ss_size = kStackBytes;
  own_->uc_link = nullptr;
  makecontext(own_.get(), entry, 0);
}

void Fiber::resume() { swapcontext(scheduler_.get(), own_.get()); }
void Fiber::yield() { swapcontext(own_.get(), scheduler_.get()); }

#endif

}  // namespace ghostnet::cuda_on_cpu
