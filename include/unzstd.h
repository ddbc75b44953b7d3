/*
 * unzstd - the calling thread's context for decompressing, made once.
 *
 * To make one, libzstd asks the CPU what it can do (CPUID), which a virtual
 * machine answers through its host: ten times the time a chunk takes to
 * unpack. So a thread keeps its context until it ends.
 */
#ifndef UNZSTD_H
#define UNZSTD_H

#include <stddef.h>

/* What it came to: the size of the result, or SIZE_MAX if `from` is not one
 * whole frame or does not fit. */
size_t unzstd(void *to, size_t room, const void *from, size_t len);

#endif
