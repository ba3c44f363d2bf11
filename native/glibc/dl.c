/* glibc 2.34 moved these functions from libdl, which Node has open, to libc. */
#include "first_glibc.h"

__asm__(".symver older_dlopen, dlopen@" FIRST_GLIBC);
extern void* older_dlopen(const char* path, int flags);
void* __wrap_dlopen(const char* path, int flags) { return older_dlopen(path, flags); }

__asm__(".symver older_dlsym, dlsym@" FIRST_GLIBC);
extern void* older_dlsym(void* handle, const char* name);
void* __wrap_dlsym(void* handle, const char* name) { return older_dlsym(handle, name); }

__asm__(".symver older_dlclose, dlclose@" FIRST_GLIBC);
extern int older_dlclose(void* handle);
int __wrap_dlclose(void* handle) { return older_dlclose(handle); }

__asm__(".symver older_dlerror, dlerror@" FIRST_GLIBC);
extern char* older_dlerror(void);
char* __wrap_dlerror(void) { return older_dlerror(); }

__asm__(".symver older_dlinfo, dlinfo@" GLIBC_2_3_3);
extern int older_dlinfo(void* handle, int request, void* info);
int __wrap_dlinfo(void* handle, int request, void* info) { return older_dlinfo(handle, request, info); }
