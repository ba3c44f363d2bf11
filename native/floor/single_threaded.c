/*
 * Of glibc 2.32: a hint that spares shared_ptr its atomic counting. Always false here: the executor has
 * threads. Hidden, as all names of this build are, so that nobody else sees it.
 */
char __libc_single_threaded = 0;
