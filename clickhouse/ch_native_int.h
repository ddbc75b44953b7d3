/*
 * A column of a block, as ch_native.c fills and ch_native_write.c writes it.
 */
#ifndef CH_NATIVE_INT_H
#define CH_NATIVE_INT_H

#include <stdbool.h>

#include "ch_native.h"
#include "map.h"

enum ch_column_kind {
    CH_NUMBER,
    CH_BYTES, /* String, FixedString */
    CH_ARRAY, /* one part; a Map: two parts, keys and values */
    CH_TUPLE,
    CH_LOW /* LowCardinality(String): numbers of texts; its part has these */
};

enum { CH_PARTS = 16, CH_NUMBER_BYTES = 4 /* of a text's number */ };

/* A text within the bytes of the column of texts. */
struct ch_entry {
    size_t at;
    uint32_t len;
    uint32_t next; /* the text that was looked for after it */
};

struct ch_dictionary {
    struct ch_entry *entries;
    uint32_t count, room;
    struct map index;
    uint32_t last; /* found last */
};

struct ch_column {
    struct ch_native *native;
    enum ch_column_kind kind;
    uint8_t width;     /* bytes of a number or FixedString; 0: String */
    bool inner;        /* a part of another */
    struct slice type; /* of a number or string, as it is written */
    uint64_t rows;     /* values it has; in the rows behind: the default */
    uint64_t closed;   /* of an array: elements that belong to its values */
    char *data;        /* numbers, strings, or the counts of an array */
    size_t len, room;
    uint32_t part_count;
    struct ch_column *parts[CH_PARTS];
    struct ch_dictionary *dictionary; /* of CH_LOW */
};

struct ch_native {
    const struct ch_column_def *defs;
    struct ch_column **columns;
    uint32_t count, rows;
    struct budget *budget;
    bool forced; /* what it needs is taken even above the budget */
    enum status status;
};

/* Gives each column that has a value one for each row; what has none is left
 * out. */
void ch_native_fill(struct ch_native *native);

/* Takes bytes for it from the budget. */
bool ch_native_charge(const struct ch_native *native, size_t bytes);

/* ch_native_dictionary.c */
uint32_t ch_text_number(struct ch_column *low, struct slice text);
void ch_dictionary_reset(struct ch_dictionary *dictionary);
void ch_dictionary_free(struct ch_dictionary *dictionary);
/* What comes before the data of a column with such parts; the data of one. */
void ch_dictionary_begin(const struct ch_column *column,
                         void (*take)(void *arg, struct slice bytes),
                         void *arg);
void ch_dictionary_write(const struct ch_column *column,
                         void (*take)(void *arg, struct slice bytes),
                         void *arg);

/* The tree of a type; a type that is not known is a defect. ch_type.c */
struct ch_column *ch_column_new(struct ch_native *native, const char *type);

#endif
