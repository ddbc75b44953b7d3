/*
 * mcp_shape - the answer of a route, made short enough for a model.
 *
 * shape_answer() copies a JSON object and leaves out what a model can do
 * without: nulls, empty lists, members that the rules of the tool name, items
 * of long lists, ends of long texts, digits of numbers. It does so in steps
 * until the copy fits: about 2,000 tokens, with `full` about 10,000. What was
 * left out is said in the copy:
 *
 *   "truncated": true, "returned": 10, "total": 1008,
 *   "leftOut": ["components: 10 of 100", "texts shortened: 3"]
 *
 * A copy is made anew at each step, so a step costs what it keeps, however
 * large the answer is. The same answer gives the same bytes.
 */
#ifndef MCP_SHAPE_H
#define MCP_SHAPE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

/* A token is about four bytes. */
enum {
    SHAPE_CONCISE = 2000 * 4, /* of the copy as JSON text */
    SHAPE_FULL = 10000 * 4,
    SHAPE_WHOLE = 22000 * 4, /* of the copy and, beside it, the copy as a text
                                in JSON: so is a result of MCP */
};

enum shape_list {
    SHAPE_FIRST,  /* the first items of a list stay */
    SHAPE_SPREAD, /* one in n: points of a chart */
    SHAPE_LINES,  /* log entries: like ones are one, with a count */
};

/* Of a member, by the end of its path: "evidence", "suspects[].evidence". */
struct shape_rule {
    const char *path;
    uint16_t concise, full; /* items of a list or members of an object; 0: the
                               member is left out */
    uint8_t rank;           /* 0 is shortened first, 3 last */
    uint8_t list;           /* enum shape_list */
};

struct shape_plan {
    const char *main; /* the list that `returned` and `total` count; or NULL */
    const struct shape_rule *rules; /* path NULL at the end; or NULL */
    /* Member of `summary` that has the number of all there are, of which the
     * route itself gives as many as its limit says; NULL: `total`, or the items
     * of the list. */
    const char *total;
};

struct shape_made {
    uint32_t returned; /* items of the main list */
    bool main_cut;     /* it had more */
    bool truncated;    /* anything was left out but nulls and empty values */
};

/* NULL: no memory. now_ns: ages are said beside some times; 0: they are not. */
json_t *shape_answer(json_t *answer, const struct shape_plan *shape, bool full,
                     uint64_t now_ns, struct shape_made *made);

/* ---- mcp_shape_text.c ---- */

/* Up to `max` bytes of a text, at a character, and how many characters follow:
 * "the beginning…+1834 chars". Longer than max by that remark. */
json_t *shape_text(const char *text, size_t len, size_t max, bool *shortened);
/* To four digits; an integer if it is one then. */
json_t *shape_number(double value);
/* A time with nine digits of a second has three in the copy; NULL: it is none.
 */
json_t *shape_time(const char *text, size_t len, uint64_t *ns);
/* Bytes of the JSON text, and of this text as a string in JSON. */
void shape_measure(const json_t *value, size_t *len, size_t *quoted_len);

#endif
