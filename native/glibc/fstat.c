/* glibc 2.33 made fstat a function of its own; before, the header called this one with the version of the
 * struct. */
#include "first_glibc.h"

#ifdef __x86_64__
#define VERSION_OF_STAT 1
#else
#define VERSION_OF_STAT 0
#endif

__asm__(".symver older_fxstat, __fxstat@" FIRST_GLIBC);
extern int older_fxstat(int version, int file, void* status);
int __wrap_fstat(int file, void* status) { return older_fxstat(VERSION_OF_STAT, file, status); }
