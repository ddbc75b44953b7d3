/*
 * ch_sql - the text of a query, into which no value can inject anything.
 *
 *   struct ch_sql sql;
 *
 *   ch_sql_init(&sql);
 *   CH_SQL(&sql, "SELECT SpanId FROM otel_traces WHERE 1");
 *   CH_SQL_WITH(&sql, " AND TraceId = ? AND Timestamp >= ?",
 *               CH_HEX(trace_id, 16), CH_NS(start_ns));
 *   CH_SQL_WITH(&sql, " AND ResourceId IN ?", CH_U64S(keys, count));
 *   ... ch_select(reader, &sql, &rows)
 *   ch_sql_release(&sql);
 *
 * Only literals of the source are text: the macros do not compile with
 * anything else. Values stand for the question marks, each in its SQL form and
 * escaped by its kind; their number is asserted.
 *
 * At the bound of its size (CH_SQL_MAX) the text fails, and ch_select() returns
 * ERR_TOO_BIG.
 */
#ifndef CH_SQL_H
#define CH_SQL_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"
#include "slice.h"
#include "status.h"

enum { CH_SQL_MAX = 8 << 20 };

struct ch_sql {
    struct buf text;
};

enum ch_term_kind {
    CH_TERM_STRING,  /* 'text' */
    CH_TERM_LIKE,    /* '%text%': any text that contains it, for LIKE */
    CH_TERM_HEX,     /* '0af7...': an id as the tables have it */
    CH_TERM_NAME,    /* `name`: a column, a table, a database */
    CH_TERM_UINT,    /* 1 */
    CH_TERM_INT,     /* -1 */
    CH_TERM_FLOAT,   /* 0.5; nan, inf, -inf */
    CH_TERM_TIME_NS, /* fromUnixTimestamp64Nano(...): a DateTime64(9) */
    CH_TERM_TIME_S,  /* toDateTime(...): the second it is in */
    CH_TERM_UINTS,   /* (1,2,3); (NULL), which nothing equals, if empty */
    CH_TERM_STRINGS, /* ('a','b'); likewise */
    CH_TERM_HEXES,   /* ('0af7...','...'); likewise */
    CH_TERM_SQL,     /* another such text */
};

struct ch_term {
    enum ch_term_kind kind;
    uint64_t number; /* of UINT, INT, TIME; the bytes of each id of HEXES */
    double real;
    const void *ptr;
    size_t count;
};

/* clang-format off */
#define CH_STR(slice_)      (struct ch_term){CH_TERM_STRING, 0, 0, (slice_).ptr, (slice_).len}
#define CH_LIKE(slice_)     (struct ch_term){CH_TERM_LIKE, 0, 0, (slice_).ptr, (slice_).len}
#define CH_HEX(bytes, len)  (struct ch_term){CH_TERM_HEX, 0, 0, (bytes), (len)}
#define CH_NAME(slice_)     (struct ch_term){CH_TERM_NAME, 0, 0, (slice_).ptr, (slice_).len}
#define CH_UINT(n)          (struct ch_term){CH_TERM_UINT, (n), 0, NULL, 0}
#define CH_INT(n)           (struct ch_term){CH_TERM_INT, (uint64_t)(int64_t)(n), 0, NULL, 0}
#define CH_FLOAT(x)         (struct ch_term){CH_TERM_FLOAT, 0, (x), NULL, 0}
#define CH_NS(ns)           (struct ch_term){CH_TERM_TIME_NS, (ns), 0, NULL, 0}
#define CH_SECOND(ns)       (struct ch_term){CH_TERM_TIME_S, (ns), 0, NULL, 0}
#define CH_U64S(at, n)      (struct ch_term){CH_TERM_UINTS, 0, 0, (at), (n)}
#define CH_STRS(slices, n)  (struct ch_term){CH_TERM_STRINGS, 0, 0, (slices), (n)}
#define CH_HEXES(at, size, n) (struct ch_term){CH_TERM_HEXES, (size), 0, (at), (n)}
#define CH_PART(sql)        (struct ch_term){CH_TERM_SQL, 0, 0, (sql), 0}

#define CH_SQL(sql, text) ch_sql_add((sql), "" text "", NULL, 0)
#define CH_SQL_WITH(sql, text, ...)                                          \
    ch_sql_add((sql), "" text "", (const struct ch_term[]){__VA_ARGS__},    \
               sizeof((const struct ch_term[]){__VA_ARGS__}) /              \
                   sizeof(struct ch_term))
/* clang-format on */

void ch_sql_init(struct ch_sql *sql);
void ch_sql_release(struct ch_sql *sql);
void ch_sql_reset(struct ch_sql *sql);

/* Through the macros only. A DateTime64(9) ends in the year 2262: later times
 * become the last one. */
void ch_sql_add(struct ch_sql *sql, const char *literal,
                const struct ch_term *values, size_t count);

/* Removes its last byte: the comma or " " after the last of a list. */
void ch_sql_cut(struct ch_sql *sql);

static inline struct slice ch_sql_text(const struct ch_sql *sql)
{
    return buf_slice(&sql->text);
}

/* ERR_TOO_BIG after its bound. */
static inline enum status ch_sql_status(const struct ch_sql *sql)
{
    return sql->text.status;
}

#endif
