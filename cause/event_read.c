/*
 * Kubernetes' events and change events as the store has them. Senders put the
 * names of the object into the resource or on the record.
 */
#include <stdlib.h>

#include "clock.h"
#include "derived.h"
#include "event_list.h"
#include "hash.h"

enum {
    MAX_EVENTS = 1000,  /* the newest of those that have a rule */
    MAX_WARNINGS = 200, /* and of others that warn */
};
/* A pod that starts is not ready at first, nor has it all it needs. */
static const uint64_t STARTING_NS = 2 * NS_PER_MIN;

struct event_reader {
    struct event_list *list;
    struct candidates *candidates;
    struct log_record *logs; /* by time */
    uint32_t count;
};

static struct slice reason_of(const struct log_record *log)
{
    return attrs_text(&log->attrs, SLICE("k8s.event.reason"));
}

static bool is_change(const struct log_record *log)
{
    return slice_equal(log->event_name, SLICE(DERIVED_CHANGE));
}

static int by_time(const void *left, const void *right)
{
    const struct log_record *a = left, *b = right;

    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    if (a->resource_id != b->resource_id)
        return a->resource_id < b->resource_id ? -1 : 1;
    return slice_compare(attr_text(&a->body), attr_text(&b->body));
}

/* The object that an event is about. */
static uint64_t object_of(const struct log_record *log)
{
    static const char *const keys[] = {"k8s.object.uid", "k8s.object.name"};

    for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++) {
        struct slice name = attrs_text(&log->attrs, slice_of(keys[i]));

        if (name.len > 0)
            return hash_bytes(name.ptr, name.len, 1);
    }
    return log->resource_id;
}

/* Is its pod started at about that time? */
static bool is_starting(const struct event_reader *r,
                        const struct log_record *log)
{
    for (uint32_t i = 0; i < r->count; i++) {
        const struct log_record *other = &r->logs[i];
        uint64_t apart = other->time_ns > log->time_ns
                             ? other->time_ns - log->time_ns
                             : log->time_ns - other->time_ns;

        if (apart <= STARTING_NS &&
            slice_equal(reason_of(other), SLICE("Started")) &&
            object_of(other) == object_of(log))
            return true;
    }
    return false;
}

/* When a repeated event happened first: "2024-03-01 08:00:00 +0000 UTC", or RFC
 * 3339. 0: not known. */
static uint64_t began(const struct log_record *log)
{
    struct slice start = attrs_text(&log->attrs, SLICE("k8s.event.start_time"));
    char text[] = "0000-00-00T00:00:00Z";
    uint64_t ns;

    if (start.len < 19)
        return 0;
    memcpy(text, start.ptr, 19);
    text[10] = 'T';
    return clock_parse_rfc3339(slice_of(text), &ns) ? ns : 0;
}

static uint32_t total_of(const struct log_record *log)
{
    const struct attr *a = attrs_find(&log->attrs, SLICE("k8s.event.count"));

    return a && a->type == VALUE_INT && a->i > 1
               ? (uint32_t)(a->i < UINT32_MAX ? a->i : UINT32_MAX)
               : 1;
}

static bool note_log(const struct event_reader *r, const struct log_record *log)
{
    struct event_note note = {
        .time_ns = log->time_ns,
        .component = candidate_of_resource(r->candidates, log->resource_id),
        .reason = reason_of(log),
        .text = log_message(log),
        .is_warning = !is_change(log) && log->level >= LEVEL_WARN,
        .times = 1,
        .total = total_of(log),
        .began_ns = began(log)};

    if (note.component == NO_INDEX)
        return true;
    if (is_change(log))
        note.kind = attrs_text(&log->attrs, SLICE(DERIVED_CHANGE_KIND));
    note.rule = event_rule_find(note.reason.len > 0 ? note.reason : note.kind,
                                note.text);
    if (!note.rule && !is_change(log))
        note.rule = note.is_warning ? &event_rule_other : NULL;
    if (!note.rule && !is_change(log))
        return true;
    if (note.rule && note.rule->at_start && is_starting(r, log))
        return true;
    return event_list_add(r->list, &note);
}

/* The newest; they become ordered by time. */
static enum status read_some(struct event_reader *r, struct reader *reader,
                             struct log_query *query)
{
    uint64_t total;
    enum status s;

    query->resources = r->candidates->resources;
    query->events = true;
    s = reader_query_logs(reader, query, r->list->arena, &r->logs, &r->count,
                          &total);
    if (s == OK && r->count > 0)
        qsort(r->logs, r->count, sizeof(*r->logs), by_time);
    return s;
}

static bool has_rule(const struct log_record *log)
{
    return is_change(log) || event_rule_find(reason_of(log), log_message(log));
}

/* Those that have a rule, a kind of change, or say when a pod starts. */
static uint32_t conditions(struct attr_match *any)
{
    static const char *const changes[] = {"version", "image", "pod-template",
                                          "release"};
    struct slice reasons[EVENT_MAX_REASONS];
    uint32_t n = 0, known = event_rule_reasons(reasons);

    for (uint32_t i = 0; i < known; i++)
        any[n++] = (struct attr_match){SLICE("k8s.event.reason"), reasons[i]};
    any[n++] = (struct attr_match){SLICE("k8s.event.reason"), SLICE("Started")};
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++)
        any[n++] = (struct attr_match){SLICE(DERIVED_CHANGE_KIND),
                                       slice_of(changes[i])};
    return n;
}

static enum status note_all(struct event_reader *r, struct reader *reader,
                            struct log_query *query, bool with_rule)
{
    enum status s = read_some(r, reader, query);

    for (uint32_t i = 0; i < r->count && s == OK; i++)
        if (has_rule(&r->logs[i]) == with_rule && !note_log(r, &r->logs[i]))
            s = arena_status(r->list->arena);
    return s;
}

enum status events_read(struct event_list *list, struct reader *reader,
                        struct candidates *candidates)
{
    struct event_reader r = {.list = list, .candidates = candidates};
    struct attr_match any[EVENT_MAX_REASONS + 8];
    struct log_query known = {.any = any,
                              .any_count = conditions(any),
                              .limit = MAX_EVENTS},
                     warnings = {.levels = UINT32_C(1) << LEVEL_WARN |
                                           UINT32_C(1) << LEVEL_ERROR |
                                           UINT32_C(1) << LEVEL_FATAL,
                                 .limit = MAX_WARNINGS};
    struct cause_window periods[2];
    uint32_t count = event_list_periods(list, periods);
    enum status s = OK;

    for (uint32_t i = 0; i < count && s == OK; i++) {
        known.start_ns = warnings.start_ns = periods[i].start_ns;
        known.end_ns = warnings.end_ns = periods[i].end_ns;
        s = note_all(&r, reader, &known, true);
        if (s == OK)
            s = note_all(&r, reader, &warnings, false);
    }
    return s;
}
