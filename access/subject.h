/*
 * subject - made from a credential that was believed.
 */
#ifndef SUBJECT_H
#define SUBJECT_H

#include "access.h"

/* A copy in one piece of memory, texts and grants included, with one reference;
 * `of->refs` does not count. */
struct subject *subject_new(const struct subject *of);

/* Its bytes in memory. */
size_t subject_size(const struct subject *subject);

#endif
