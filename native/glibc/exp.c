/* glibc 2.29 dropped the error handling of System V. */
#include "first_glibc.h"

__asm__(".symver older_exp, exp@" FIRST_GLIBC);
extern double older_exp(double x);
double __wrap_exp(double x) { return older_exp(x); }
