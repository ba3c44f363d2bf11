// The kernels are compiled with -fsanitize=thread, which makes the compiler call these functions at every
// memory access. They replace those of ThreadSanitizer, which is not linked. This file is compiled without
// the option.
#include <cstring>

#include "machine.h"

namespace {

using ghostnet::cuda_on_cpu::Access;

void see(Access kind, const void* address, size_t bytes, const void* caller) {
  ghostnet::cuda_on_cpu::machine().access(kind, address, bytes, {nullptr, 0, caller});
}

}  // namespace

#define GHOSTNET_CALLER __builtin_return_address(0)
#define GHOSTNET_HOOKS(prefix, bytes)                                                            \
  void __tsan_##prefix##read##bytes(void* at) { see(Access::read, at, bytes, GHOSTNET_CALLER); } \
  void __tsan_##prefix##write##bytes(void* at) { see(Access::write, at, bytes, GHOSTNET_CALLER); }
#define GHOSTNET_HOOKS_OF_ALL_SIZES(prefix) \
  GHOSTNET_HOOKS(prefix, 1)                 \
  GHOSTNET_HOOKS(prefix, 2)                 \
  GHOSTNET_HOOKS(prefix, 4)                 \
  GHOSTNET_HOOKS(prefix, 8)                 \
  GHOSTNET_HOOKS(prefix, 16)

extern "C" {

GHOSTNET_HOOKS_OF_ALL_SIZES()
GHOSTNET_HOOKS_OF_ALL_SIZES(unaligned_)
GHOSTNET_HOOKS_OF_ALL_SIZES(volatile_)
void __tsan_read_range(void* at, size_t bytes) { see(Access::read, at, bytes, GHOSTNET_CALLER); }
void __tsan_write_range(void* at, size_t bytes) { see(Access::write, at, bytes, GHOSTNET_CALLER); }
void* __tsan_memcpy(void* to, const void* from, size_t bytes) {
  see(Access::read, from, bytes, GHOSTNET_CALLER);
  see(Access::write, to, bytes, GHOSTNET_CALLER);
  return std::memcpy(to, from, bytes);
}
void* __tsan_memset(void* to, int value, size_t bytes) {
  see(Access::write, to, bytes, GHOSTNET_CALLER);
  return std::memset(to, value, bytes);
}
void __tsan_init() {}
void __tsan_func_entry(void*) {}
void __tsan_func_exit() {}
void __tsan_vptr_update(void*, void*) {}
void __tsan_vptr_read(void*) {}
}
