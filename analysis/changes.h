/*
 * changes - what changed in a scope and window: one row for each kind of thing,
 * however often it happened.
 *
 * Sources: events (changes_events.c: versions, releases, Kubernetes), series
 * that came or went (changes_parts.c), and counters of restarts
 * (changes_restarts.c).
 */
#ifndef CHANGES_H
#define CHANGES_H

#include "map.h"
#include "parts.h"
#include "withheld.h"

struct change_row {
    uint64_t key; /* of what is one row */
    uint64_t time_ns, last_ns, count;
    const struct identity *identity;
    struct slice kind, type, title, message;
    struct slice from, to;
    struct slice release, commit, phase, reason;
    struct slice object_kind, object_name;
    struct slice endpoint, level, template_id;
    const char *source; /* events, series */
    /* Of the answer. */
    uint64_t again_ns;
};

/* The kinds of rows, for the filter and for counts. */
enum { CHANGE_ROW_KINDS = 23 };
extern const struct slice change_row_kinds[CHANGE_ROW_KINDS];
/* CHANGE_ROW_KINDS: it is none. */
uint32_t change_row_kind(struct slice name);

struct change_list {
    struct query_request *request;
    struct scope_filter scope;
    const struct bitmap *resources;
    uint64_t start_ns, end_ns;
    uint32_t kinds;    /* bits that are wanted */
    struct slice type; /* Normal, Warning, or empty: any */
    struct part_access metrics, logs;
    struct change_row *at;
    uint32_t count, room;
    struct map index;       /* by key */
    bool truncated;         /* older events were not read */
    uint64_t known_from_ns; /* the oldest event that was, if so */
    uint64_t counts[CHANGE_ROW_KINDS];
};

static inline bool changes_want(const struct change_list *list, uint32_t kinds)
{
    return (list->kinds & kinds) != 0;
}

/* Texts stay the caller's, in the arena. One more of a row with the same key
 * widens its times. False: the arena is full. */
bool changes_add(struct change_list *list, const struct change_row *row);

/* All have answered with query_fail on failure. */
MUST_CHECK enum status changes_read_events(struct change_list *list);
MUST_CHECK enum status changes_read_parts(struct change_list *list);
MUST_CHECK enum status changes_read_restarts(struct change_list *list);

/* Everything, newest first. For other answers that show changes. */
MUST_CHECK enum status changes_gather(struct change_list *list);

extern const struct reply_table change_row_table;

#endif
