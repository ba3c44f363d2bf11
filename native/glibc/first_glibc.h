/*
 * Lets a prebuilt binary run on systems as old as LibTorch supports (package.json, "floor"). If a newer glibc
 * or libstdc++ provides a symbol only under a newer version, the symbol is bound here to the previous
 * version, which all later releases keep. The linker redirects the calls to the functions in this folder
 * (cmake/Glibc.cmake, --wrap). `npm run prebuild` names any symbol that is missing here.
 *
 * libstdc++ is not linked statically instead, because the addon catches exceptions of LibTorch, and each of
 * two copies of the runtime would count only its own half of a throw.
 */
#pragma once

/* The version of all symbols in the first glibc for this processor. */
#if defined(__x86_64__)
#define FIRST_GLIBC "GLIBC_2.2.5"
#define GLIBC_2_3_3 "GLIBC_2.3.3"
#elif defined(__aarch64__)
#define FIRST_GLIBC "GLIBC_2.17"
#define GLIBC_2_3_3 "GLIBC_2.17"
#else
#error "Name the first glibc of this processor"
#endif
