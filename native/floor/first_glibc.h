/*
 * Keeps the system that a prebuilt binary asks for as old as LibTorch's own (package.json, "floor"): what a
 * newer glibc or libstdc++ gives under a newer version only is bound to the version before, which every later
 * one keeps. The linker sends the calls to the functions in this folder (cmake/Floor.cmake, --wrap); `npm run
 * prebuild` names a symbol that is missing here.
 *
 * libstdc++ is not linked statically instead: exceptions of LibTorch are caught in the addon, and two copies
 * of the runtime would each count only their own half of a throw.
 */
#pragma once

/* The version that all symbols of the first glibc on a processor have. */
#if defined(__x86_64__)
#define FIRST_GLIBC "GLIBC_2.2.5"
#define GLIBC_2_3_3 "GLIBC_2.3.3"
#elif defined(__aarch64__)
#define FIRST_GLIBC "GLIBC_2.17"
#define GLIBC_2_3_3 "GLIBC_2.17"
#else
#error "Name the first glibc of this processor"
#endif
