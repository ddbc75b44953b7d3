/*
 * attr_hash - compares attributes as OTLP defines them: as sets.
 *
 * Purpose:   the identity of a series or a resource. Neither the order of keys,
 *            at any depth, nor a repeated key (the last one counts) makes a
 *            difference. The order of an array does, and so does the type of a
 *            value: 1 is neither 1.0 nor "1", and an empty value is not a
 *            missing one. Doubles are equal if their bits are (-0.0 is not
 *            0.0); all NaNs are equal.
 * Ownership: allocates nothing.
 * Threads:   any; there is no state.
 * Errors:    none.
 */
#ifndef ATTR_HASH_H
#define ATTR_HASH_H

#include "record.h"

uint64_t attrs_hash(const struct attrs *attrs);

/* Of the value, without its key. */
uint64_t attr_value_hash(const struct attr *attr);

/* Fast if both have the same order. */
bool attrs_equal(const struct attrs *a, const struct attrs *b);

#endif
