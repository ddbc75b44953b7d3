/* same_attrs - exact comparison of attributes and scopes: order and the bits of
 * numbers count. */
#ifndef SAME_ATTRS_H
#define SAME_ATTRS_H

#include <string.h>

#include "record.h"

static inline bool same_items(const struct attr *a, const struct attr *b,
                              uint32_t count);

static inline bool same_value(const struct attr *a, const struct attr *b)
{
    if (a->type != b->type || a->len != b->len)
        return false;
    switch (a->type) {
    case VALUE_STRING:
    case VALUE_BYTES:
        return a->len == 0 || memcmp(a->str, b->str, a->len) == 0;
    case VALUE_BOOL:
        return a->b == b->b;
    case VALUE_INT:
        return a->i == b->i;
    case VALUE_DOUBLE:
        return memcmp(&a->d, &b->d, sizeof(a->d)) == 0;
    case VALUE_ARRAY:
    case VALUE_MAP:
        return same_items(a->items, b->items, a->len);
    default:
        return true;
    }
}

static inline bool same_items(const struct attr *a, const struct attr *b,
                              uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!slice_equal(attr_key(&a[i]), attr_key(&b[i])) ||
            !same_value(&a[i], &b[i]))
            return false;
    return true;
}

static inline bool same_attrs(const struct attrs *a, const struct attrs *b)
{
    return a->count == b->count && a->dropped == b->dropped &&
           same_items(a->at, b->at, a->count);
}

static inline bool same_scope(const struct scope *a, const struct scope *b)
{
    if (!a || !b)
        return a == b;
    return slice_equal(a->name, b->name) &&
           slice_equal(a->version, b->version) &&
           slice_equal(a->schema_url, b->schema_url) &&
           same_attrs(&a->attrs, &b->attrs);
}

#endif
