#include "machine.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <numeric>

extern "C" char _end;  // of this program, constants and all
// A shared library has none: its accesses are then not checked, only computed.
extern "C" char __executable_start __attribute__((weak));

namespace ghostnet::cuda_on_cpu {

namespace {

constexpr unsigned kAccessesATurn = 41;
constexpr size_t kHostStack = 1 << 20;

}  // namespace

Machine& machine() {
  static Machine only;
  return only;
}

void Machine::launch(unsigned blocks, int threads, void (*call)(const void*), const void* kernel) {
  char here = 0;
  host_stack_ = &here;
  call_ = call;
  kernel_ = kernel;
  random_.seed(seed);
  while (threads_.size() < static_cast<size_t>(threads)) threads_.emplace_back();
  std::vector<int> sequence(blocks);
  std::iota(sequence.begin(), sequence.end(), 0);
  if (order == Order::reverse) std::reverse(sequence.begin(), sequence.end());
  if (order == Order::shuffled || order == Order::preempting) {
    std::shuffle(sequence.begin(), sequence.end(), random_);
  }
  checker.begin_launch();
  for (const int block : sequence) {
    block_ = block;
    checker.begin_block(block);
    run_block(threads);
  }
}

void Machine::enter() {
  Machine& self = machine();
  self.call_(self.kernel_);
  Thread& thread = self.threads_[self.current_];
  if (!thread.copies.empty()) {
    self.checker.report("copy never waited for", "thread " + std::to_string(self.current_));
    thread.copies.clear();
  }
  thread.state = State::done;
  thread.fiber.yield();
  std::abort();
}

void Machine::run_block(int threads) {
  turn_.resize(threads);
  std::iota(turn_.begin(), turn_.end(), 0);
  if (order == Order::reverse) std::reverse(turn_.begin(), turn_.end());
  for (int i = 0; i < threads; ++i) {
    Thread& thread = threads_[i];
    thread.fiber.start(&Machine::enter);
    thread.state = State::ready;
    thread.epoch = 0;
    thread.copies.clear();
    thread.groups = 0;
  }
  for (;;) {
    if (run_ready(threads)) continue;
    if (release_warps(threads)) continue;
    if (release_barrier(threads)) continue;
    const bool all_done = std::all_of(threads_.begin(), threads_.begin() + threads,
                                      [](const Thread& thread) { return thread.state == State::done; });
    if (!all_done) checker.report("deadlock", "block " + std::to_string(block_));
    return;  // waiting fibers are discarded
  }
}

bool Machine::run_ready(int threads) {
  if (order == Order::shuffled || order == Order::preempting)
    std::shuffle(turn_.begin(), turn_.end(), random_);
  bool any = false;
  for (int i = 0; i < threads; ++i) {
    Thread& thread = threads_[turn_[i]];
    if (thread.state != State::ready) continue;
    any = true;
    current_ = turn_[i];
    checker.begin_slice(current_, thread.epoch);
    thread.fiber.resume();
    current_ = -1;
  }
  return any;
}

bool Machine::release_warps(int threads) {
  bool any = false;
  for (int first = 0; first < threads; first += kWarp) {
    const int end = std::min(first + kWarp, threads);
    int waiting = 0, gone = kWarp - (end - first), other = 0;
    void* operands[kWarp] = {};
    const Thread* leader = nullptr;
    for (int i = first; i < end; ++i) {
      Thread& thread = threads_[i];
      gone += thread.state == State::done;
      if (thread.state != State::at_warp) continue;
      if (leader == nullptr) leader = &thread;
      other += thread.compute != leader->compute || thread.site.line != leader->site.line;
      operands[i - first] = thread.operand;
      ++waiting;
    }
    if (waiting == 0) continue;
    if (waiting != kWarp || other > 0) {
      checker.report("warp instruction in divergent code",
                     std::string(leader->instruction) + " at " + leader->site.text() + ": " +
                         std::to_string(waiting) + " lanes wait, " + std::to_string(gone) + " have exited, " +
                         std::to_string(other) + " are elsewhere");
      continue;  // the results would be undefined: the block ends as a deadlock
    }
    leader->compute(operands);
    for (int i = first; i < end; ++i) threads_[i].state = State::ready;
    any = true;
  }
  return any;
}

bool Machine::release_barrier(int threads) {
  int waiting = 0, other = 0;
  const Thread* first = nullptr;
  for (int i = 0; i < threads; ++i) {
    const Thread& thread = threads_[i];
    if (thread.state != State::at_barrier) continue;
    ++waiting;
    if (first == nullptr) first = &thread;
    other += thread.site.line != first->site.line;
  }
  if (waiting == 0) return false;
  if (waiting != threads || other > 0) {
    checker.report("barrier in divergent code", first->site.text() + ": " + std::to_string(waiting) + " of " +
                                                    std::to_string(threads) + " threads wait, " +
                                                    std::to_string(other) + " of them at another barrier");
    if (waiting != threads) return false;
  }
  for (int i = 0; i < threads; ++i) {
    threads_[i].state = State::ready;
    ++threads_[i].epoch;
  }
  return true;
}

void Machine::wait(State state, const Site& site) {
  Thread& thread = threads_[current_];
  thread.state = state;
  thread.site = site;
  thread.fiber.yield();
}

void Machine::barrier(const Site& site) { wait(State::at_barrier, site); }

void Machine::warp_instruction(const char* name, void* operand, Compute compute, const Site& site) {
  Thread& thread = threads_[current_];
  thread.instruction = name;
  thread.operand = operand;
  thread.compute = compute;
  wait(State::at_warp, site);
}

void Machine::access(Access kind, const void* address, size_t bytes, const Site& site) {
  if (current_ < 0) return;
  const char* at = static_cast<const char*>(address);
  // Here the registers and parameters of a GPU are the stack of the fiber, the stack of the host and
  // constants.
  if (threads_[current_].fiber.owns(at)) return;
  if (at >= &__executable_start && at < &_end) return;
  if (at >= host_stack_ && at < host_stack_ + kHostStack) return;
  if (order == Order::preempting && random_() % kAccessesATurn == 0) wait(State::ready, site);
  checker.access(kind, address, bytes, site);
}

void Machine::start_copy(void* shared, const void* global, size_t bytes, size_t read, const Site& site) {
  if (reinterpret_cast<uintptr_t>(global) % bytes != 0)
    checker.report("misaligned access", "copy at " + site.text());
  if (!checker.is_shared(shared)) checker.report("copy to other than shared memory", site.text());
  checker.begin_copy(shared, bytes, site);
  std::memset(shared, 0xff, bytes);
  Thread& thread = threads_[current_];
  thread.copies.push_back({shared, global, bytes, read, thread.groups});
}

void Machine::end_group() { ++threads_[current_].groups; }

void Machine::wait_for_copies(int later, const Site& site) {
  Thread& thread = threads_[current_];
  const auto landed = std::ranges::stable_partition(
      thread.copies, [&](const Copy& copy) { return copy.group >= thread.groups - later; });
  for (const Copy& copy : landed) {
    if (copy.read > 0) checker.access(Access::read, copy.global, copy.read, site);
    checker.end_copy(copy.shared, copy.bytes, site);
    std::memset(copy.shared, 0, copy.bytes);
    if (copy.read > 0) std::memcpy(copy.shared, copy.global, copy.read);
  }
  thread.copies.erase(landed.begin(), landed.end());
}

}  // namespace ghostnet::cuda_on_cpu
