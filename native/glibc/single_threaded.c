/*
 * A hint of glibc 2.32 that lets shared_ptr skip atomic counting. Always false here, because the executor has
 * threads. Hidden like all symbols of this build, so that no other library sees it.
 */
char __libc_single_threaded = 0;
