/*
 * reply_table - a JSON answer as a table of members over a C struct.
 *
 * Purpose: a handler fills in a struct and calls reply_write() once. The same
 *   tables are held against docs/openapi.yaml by test_openapi.
 * Ownership: tables are constant. A struct and what it points to are read
 *   while it is written, and stay the caller's.
 * Threads: pure.
 * Errors: none of its own; the buffer remembers that it was too small.
 *
 *   struct pod_reply { struct slice name, ip; uint64_t seen_ns; };
 *
 *   const struct reply_table pod_table = REPLY_TABLE(
 *       struct pod_reply,
 *       REPLY(struct pod_reply, "name", name),
 *       REPLY_OPTIONAL(struct pod_reply, "ip", ip),
 *       REPLY_OPTIONAL_TIME(struct pod_reply, "lastSeen", seen_ns));
 *
 * The type of a member follows from the type of the field: struct slice and
 * const char * are texts, uint8_t arrays are hexadecimal, struct attrs is an
 * object of attributes, struct list_time a time that may name a record.
 *
 * Lists are arrays, or callbacks that fill in one item at a time: a long
 * answer needs no second copy of its records.
 */
#ifndef REPLY_TABLE_H
#define REPLY_TABLE_H

#include <stddef.h>

#include "jsonw.h"
#include "list_time.h"

enum reply_type {
    REPLY_TYPE_TEXT,   /* struct slice */
    REPLY_TYPE_CSTR,   /* const char *; NULL: empty */
    REPLY_TYPE_UID,    /* struct slice; left out unless it is a UUID */
    REPLY_TYPE_BASE64, /* struct slice */
    REPLY_TYPE_BOOL,
    REPLY_TYPE_UINT32,
    REPLY_TYPE_UINT64,
    REPLY_TYPE_INT64,
    REPLY_TYPE_DOUBLE,    /* NaN: null */
    REPLY_TYPE_ROUNDED,   /* double, to two decimals */
    REPLY_TYPE_TIME,      /* uint64_t, nanoseconds */
    REPLY_TYPE_LIST_TIME, /* struct list_time */
    REPLY_TYPE_HEX,       /* uint8_t[] */
    REPLY_TYPE_ATTRS,     /* struct attrs */
    REPLY_TYPE_OBJECT,    /* a struct with a table of its own */
    REPLY_TYPE_INLINE,    /* the same; its members are in the outer object */
    REPLY_TYPE_LIST,      /* struct reply_list */
};

enum {
    REPLY_OMIT_EMPTY = 1, /* left out if empty, 0, false or without items */
    REPLY_POINTER = 2,    /* the field points to the value; NULL: left out */
    REPLY_NULL = 4,       /* may be null: NaN, and a pointer that is NULL */
};

struct reply_table;

struct reply_member {
    const char *name; /* NULL: the value alone, of a table for list items */
    uint16_t offset, size;
    uint8_t type;  /* enum reply_type */
    uint8_t flags; /* REPLY_... */
    const struct reply_table *table;
};

/* Without names: one member is the value itself, several are an array. */
struct reply_table {
    const struct reply_member *members;
    uint32_t count;
    uint32_t size; /* of the struct */
};

/* Fills in item i and returns it, valid until the next call; NULL: there is
 * nothing to show. */
typedef const void *reply_item(void *arg, uint32_t i);

struct reply_list {
    uint32_t count;
    const void *items; /* an array of structs, or */
    reply_item *item;  /* NULL: items */
    void *arg;
};

void reply_write(struct jsonw *w, const struct reply_table *table,
                 const void *fields);

/* Tables of list items that are no objects. */
extern const struct reply_table reply_texts;     /* struct slice */
extern const struct reply_table reply_trace_ids; /* uint8_t[16] */

/* ---- rows: struct, name of the member, field ---- */

#define REPLY_FIELD(view, field) (((view *)0)->field)
#define REPLY_ROW(view, name, field, type, flags, table)                     \
    {                                                                        \
        name, offsetof(view, field), sizeof(REPLY_FIELD(view, field)), type, \
            flags, table                                                     \
    }
/* Of a field that must have this C type. */
#define REPLY_ROW_OF(view, name, field, ctype, type, flags, table) \
    REPLY_ROW(view, name, field,                                   \
              _Generic(REPLY_FIELD(view, field), ctype             \
                       : type),                                    \
              flags, table)
#define REPLY_TYPE(view, field) \
    _Generic(REPLY_FIELD(view, field),                                  \
             struct slice: REPLY_TYPE_TEXT,                             \
             const char *: REPLY_TYPE_CSTR,                             \
             bool: REPLY_TYPE_BOOL,                                     \
             uint32_t: REPLY_TYPE_UINT32,                               \
             uint64_t: REPLY_TYPE_UINT64,                               \
             int64_t: REPLY_TYPE_INT64,                                 \
             double: REPLY_TYPE_DOUBLE,                                 \
             struct list_time: REPLY_TYPE_LIST_TIME,                    \
             struct attrs: REPLY_TYPE_ATTRS,                            \
             uint8_t *: REPLY_TYPE_HEX)

/* OPTIONAL members are left out if they are empty, 0 or false. */
#define REPLY(view, name, field) \
    REPLY_ROW(view, name, field, REPLY_TYPE(view, field), 0, NULL)
#define REPLY_OPTIONAL(view, name, field)                                   \
    REPLY_ROW(view, name, field, REPLY_TYPE(view, field), REPLY_OMIT_EMPTY, \
              NULL)
#define REPLY_TIME(view, name, field) \
    REPLY_ROW_OF(view, name, field, uint64_t, REPLY_TYPE_TIME, 0, NULL)
#define REPLY_OPTIONAL_TIME(view, name, field)                 \
    REPLY_ROW_OF(view, name, field, uint64_t, REPLY_TYPE_TIME, \
                 REPLY_OMIT_EMPTY, NULL)
#define REPLY_ROUNDED(view, name, field) \
    REPLY_ROW_OF(view, name, field, double, REPLY_TYPE_ROUNDED, 0, NULL)
#define REPLY_OPTIONAL_ROUNDED(view, name, field)               \
    REPLY_ROW_OF(view, name, field, double, REPLY_TYPE_ROUNDED, \
                 REPLY_OMIT_EMPTY, NULL)
/* May be null: NaN. */
#define REPLY_NULLABLE(view, name, field) \
    REPLY_ROW_OF(view, name, field, double, REPLY_TYPE_DOUBLE, REPLY_NULL, NULL)
/* Left out unless it is a UUID. */
#define REPLY_UID(view, name, field)                              \
    REPLY_ROW_OF(view, name, field, struct slice, REPLY_TYPE_UID, \
                 REPLY_OMIT_EMPTY, NULL)
#define REPLY_BASE64(view, name, field) \
    REPLY_ROW_OF(view, name, field, struct slice, REPLY_TYPE_BASE64, 0, NULL)
/* A pointer; NULL: left out. */
#define REPLY_ATTRS(view, name, field)                                      \
    REPLY_ROW_OF(view, name, field, const struct attrs *, REPLY_TYPE_ATTRS, \
                 REPLY_POINTER, NULL)

/* flags: 0 or REPLY_POINTER, REPLY_NULL. */
#define REPLY_OBJECT(view, name, field, flags, table) \
    REPLY_ROW(view, name, field, REPLY_TYPE_OBJECT, flags, table)
/* Members of another table in this object. */
#define REPLY_INLINE(view, field, flags, table) \
    REPLY_ROW(view, NULL, field, REPLY_TYPE_INLINE, flags, table)
#define REPLY_LIST(view, name, field, table)                               \
    REPLY_ROW_OF(view, name, field, struct reply_list, REPLY_TYPE_LIST, 0, \
                 table)
/* A pointer; NULL: left out. */
#define REPLY_LIST_AT(view, name, field, table)                \
    REPLY_ROW_OF(view, name, field, const struct reply_list *, \
                 REPLY_TYPE_LIST, REPLY_POINTER, table)
#define REPLY_OPTIONAL_LIST(view, name, field, table)                   \
    REPLY_ROW_OF(view, name, field, struct reply_list, REPLY_TYPE_LIST, \
                 REPLY_OMIT_EMPTY, table)

/* struct, rows. */
#define REPLY_TABLE(view, ...)                                   \
    {                                                            \
        (const struct reply_member[]){__VA_ARGS__},              \
            sizeof((const struct reply_member[]){__VA_ARGS__}) / \
                sizeof(struct reply_member),                     \
            sizeof(view)                                         \
    }

#endif
