/*
 * A column of a block, as ch_native.c fills and ch_native_write.c writes it.
 */
#ifndef CH_NATIVE_INT_H
#define CH_NATIVE_INT_H

#include <stdbool.h>

#include "ch_native.h"

enum ch_column_kind {
    CH_NUMBER,
    CH_BYTES, /* String, FixedString */
    CH_ARRAY, /* one part; a Map: two parts, keys and values */
    CH_TUPLE
};

enum { CH_PARTS = 16 };

struct ch_column {
    struct ch_native *native;
    enum ch_column_kind kind;
    uint8_t width;     /* bytes of a number or FixedString; 0: String */
    bool inner;        /* a part of another */
    struct slice type; /* of a number or string, as it is written */
    uint64_t rows;     /* values it has */
    uint64_t closed;   /* of an array: elements that belong to its values */
    char *data;        /* numbers, strings, or the counts of an array */
    size_t len, room;
    uint32_t part_count;
    struct ch_column *parts[CH_PARTS];
};

struct ch_native {
    const struct ch_column_def *defs;
    struct ch_column **columns;
    uint32_t count, rows;
    struct budget *budget;
    bool forced; /* what it needs is taken even above the budget */
    enum status status;
};

/* Takes bytes for it from the budget. */
bool ch_native_charge(const struct ch_native *native, size_t bytes);

/* The tree of a type; a type that is not known is a defect. ch_type.c */
struct ch_column *ch_column_new(struct ch_native *native, const char *type);

#endif
