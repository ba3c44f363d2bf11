/**
 * Makes allocations and thread starts of the addon fail. Preloaded into a process of Node.js:
 *
 *   process.env.GHOSTNET_FAULT = 'memory 17'      the 18th allocation from now on fails, once
 *   process.env.GHOSTNET_FAULT = 'memory 17 on'   that one and all after it
 *   process.env.GHOSTNET_FAULT = 'thread 0'       the next start of a thread
 *   process.env.GHOSTNET_FAULT = 'none'
 *   process.env.GHOSTNET_FAULTS                   how many have failed since
 *
 * Only the code of ghostnet.node is concerned. Node.js and LibTorch themselves end the process without
 * memory.
 */
#include <dlfcn.h>
#include <link.h>
#include <pthread.h>

#include <atomic>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <new>

namespace {

enum class Kind { none, memory, thread };

std::atomic<Kind> kind = Kind::none;
std::atomic<int64_t> left = 0;
std::atomic<bool> is_once = true;
std::atomic<int64_t> failed = 0;

/** Where the code of a library lies. */
struct Code {
  const char* name;
  std::atomic<uintptr_t> begin = 0, end = 0;

  void find() {
    dl_iterate_phdr(
        [](dl_phdr_info* library, size_t, void* context) {
          auto& code = *static_cast<Code*>(context);
          if (std::strstr(library->dlpi_name, code.name) == nullptr) return 0;
          for (int index = 0; index < library->dlpi_phnum; ++index) {
            const auto& segment = library->dlpi_phdr[index];
            if (segment.p_type != PT_LOAD || (segment.p_flags & PF_X) == 0) continue;
            code.begin = library->dlpi_addr + segment.p_vaddr;
            code.end = code.begin + segment.p_memsz;
          }
          return 1;
        },
        this);
  }

  bool contains(const void* address) const {
    const auto value = reinterpret_cast<uintptr_t>(address);
    return begin <= value && value < end;
  }
};

Code addon{"/ghostnet.node"};
Code standard_library{"/libstdc++.so"};  // starts the threads of std::thread

bool fails(Kind wanted, const Code& code, const void* caller) {
  if (kind != wanted || !code.contains(caller)) return false;
  const int64_t before = left.fetch_sub(1);
  if (is_once ? before != 0 : before > 0) return false;
  ++failed;
  return true;
}

template <typename Function>
Function* next_of(Function*, const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

void* allocate(size_t bytes, const void* caller) {
  void* memory = fails(Kind::memory, addon, caller) ? nullptr : std::malloc(bytes > 0 ? bytes : 1);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

void* allocate(size_t bytes, std::align_val_t alignment, const void* caller) {
  const auto unit = static_cast<size_t>(alignment);
  void* memory =
      fails(Kind::memory, addon, caller) ? nullptr : std::aligned_alloc(unit, (bytes + unit) / unit * unit);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace

void* operator new(size_t bytes) { return allocate(bytes, __builtin_return_address(0)); }
void* operator new[](size_t bytes) { return allocate(bytes, __builtin_return_address(0)); }
void* operator new(size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, alignment, __builtin_return_address(0));
}
void* operator new[](size_t bytes, std::align_val_t alignment) {
  return allocate(bytes, alignment, __builtin_return_address(0));
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

extern "C" {

// What glibc calls the functions that it also exports under the usual names.
void* __libc_malloc(size_t bytes);
void* __libc_calloc(size_t count, size_t bytes);
void* __libc_realloc(void* memory, size_t bytes);
void* __libc_memalign(size_t alignment, size_t bytes);

void* malloc(size_t bytes) {
  if (!fails(Kind::memory, addon, __builtin_return_address(0))) return __libc_malloc(bytes);
  errno = ENOMEM;
  return nullptr;
}

void* calloc(size_t count, size_t bytes) {
  if (!fails(Kind::memory, addon, __builtin_return_address(0))) return __libc_calloc(count, bytes);
  errno = ENOMEM;
  return nullptr;
}

void* realloc(void* memory, size_t bytes) {
  if (!fails(Kind::memory, addon, __builtin_return_address(0))) return __libc_realloc(memory, bytes);
  errno = ENOMEM;
  return nullptr;
}

void* aligned_alloc(size_t alignment, size_t bytes) {
  if (!fails(Kind::memory, addon, __builtin_return_address(0))) return __libc_memalign(alignment, bytes);
  errno = ENOMEM;
  return nullptr;
}

int pthread_create(pthread_t* thread, const pthread_attr_t* attributes, void* (*start)(void*),
                   void* argument) {
  if (fails(Kind::thread, standard_library, __builtin_return_address(0))) return EAGAIN;
  static const auto create = next_of(&pthread_create, "pthread_create");
  return create(thread, attributes, start, argument);
}

int setenv(const char* name, const char* value, int overwrite) {
  if (std::strcmp(name, "GHOSTNET_FAULT") == 0) {
    char what[8] = "", on[4] = "";
    long count = 0;
    std::sscanf(value, "%7s %ld %3s", what, &count, on);
    kind = Kind::none;
    addon.find();
    standard_library.find();
    failed = 0;
    left = count;
    is_once = std::strcmp(on, "on") != 0;
    if (std::strcmp(what, "memory") == 0) kind = Kind::memory;
    if (std::strcmp(what, "thread") == 0) kind = Kind::thread;
    return 0;
  }
  static const auto set = next_of(&setenv, "setenv");
  return set(name, value, overwrite);
}

char* getenv(const char* name) noexcept {
  if (std::strcmp(name, "GHOSTNET_FAULTS") == 0) {
    static char text[24];
    std::snprintf(text, sizeof text, "%ld", static_cast<long>(failed));
    return text;
  }
  static const auto get = reinterpret_cast<char* (*)(const char*)>(dlsym(RTLD_NEXT, "getenv"));
  return get(name);
}
}
