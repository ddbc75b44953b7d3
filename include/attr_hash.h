/*
 * attr_key - the identity of a set of attributes.
 *
 * OTLP attributes are a set: neither the order of keys, in the set or in a map
 * inside a value, nor a key that comes twice (the last one wins) makes another
 * one. The order of an array does, and so does the type of a value: 1 is not
 * 1.0 nor "1", an empty value is not a missing one. Doubles are the same if
 * their bits are (-0.0 is not 0.0); any NaN is the same as any other.
 *
 * attrs_hash() sums a hash per attribute and allocates nothing; attributes in
 * the order they always come in cost one pass.
 *
 * Threads  Any; there is no state.
 */
#ifndef ATTR_HASH_H
#define ATTR_HASH_H

#include "record.h"

uint64_t attrs_hash(const struct attrs *attrs);

/* Of a value, its key left out. */
uint64_t attr_value_hash(const struct attr *attr);

/* The same set? Fast if both are in the same order. */
bool attrs_equal(const struct attrs *a, const struct attrs *b);

#endif
