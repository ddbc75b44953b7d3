/*
 * Reads the traces of both periods and the log records inside them. A busy
 * project has more than can be looked at in milliseconds: then slices of a
 * period are read, spread evenly, and of these a share of the traces. How many
 * records there are is known from derived series before one is read.
 */
#include "trace_sample.h"

#include <math.h>
#include <strings.h>

#include "clock.h"
#include "derived.h"
#include "hash.h"

enum {
    SLICES = 8, /* of a period, when not all of it can be read */
    /* Spans of a trace are kept together if it took no longer than this, on
     * either side of the time that is read. */
    MARGIN_S = 10,
    MAX_SLICE_S = 60,
    MIN_SLICE_S = 10,
    SHIFT_S = 30, /* at most, from even distances */
};

/* ---- how many records there are ---- */

struct record_counts {
    struct cause_window time;
    uint64_t from_ns; /* the start of the first minute */
    double *minutes;
    uint32_t count;
};

static void count_records(void *arg, const struct point *point)
{
    struct record_counts *c = arg;
    uint64_t at = point->start_ns < c->from_ns
                      ? 0
                      : (point->start_ns - c->from_ns) / NS_PER_MIN;
    const struct attr *signal =
        attrs_find(&point->attrs, SLICE(DERIVED_SIGNAL));

    if (!signal || slice_equal(attr_text(signal), SLICE("metrics")))
        return;
    if (at < c->count)
        c->minutes[at] += point->is_int ? (double)point->i : point->d;
}

static enum status read_counts(struct record_counts *c, struct reader *reader,
                               const struct bitmap *resources,
                               struct arena *arena)
{
    static const struct slice names[] = {SLICE_INIT(DERIVED_RECORDS)};
    struct series_query query = {.start_ns = c->time.start_ns,
                                 .end_ns = c->time.end_ns + NS_PER_MIN,
                                 .resources = resources,
                                 .names = names,
                                 .name_count = 1};

    c->from_ns = c->time.start_ns / NS_PER_MIN * NS_PER_MIN;
    c->count = (uint32_t)((c->time.end_ns - c->from_ns) / NS_PER_MIN) + 1;
    c->minutes = arena_zero(arena, c->count, sizeof(*c->minutes));
    if (!c->minutes)
        return arena_status(arena);
    return reader_query_series(reader, &query, count_records, c);
}

/* ---- reading ---- */

struct sample_reader {
    struct reader *reader;
    struct candidates *candidates;
    struct interned_terms *terms;
    struct arena *arena;
    struct trace_sample *sample;
    struct sample_range ranges[SLICES];
    uint32_t range_count;
};

static bool contains_word(struct slice name, const char *word)
{
    size_t len = strlen(word);

    for (size_t i = 0; i + len <= name.len; i++)
        if (strncasecmp(name.ptr + i, word, len) == 0)
            return true;
    return false;
}

static uint32_t span_term(struct interned_terms *terms, const struct span *span)
{
    struct slice name = span->operation.len > 0 ? span->operation : span->name;
    uint64_t key = span_name_key(name);
    uint32_t known = terms_find(terms, key);

    if (known != NO_INDEX)
        return known;
    return terms_add(terms, key, name, (struct slice){NULL, 0},
                     contains_word(name, "error") ||
                         contains_word(name, "exception"));
}

static void take_span(void *arg, const struct span *span)
{
    struct sample_reader *r = arg;
    struct trace_sample *s = r->sample;
    struct rca_span *to =
        arena_append(r->arena, &s->spans, s->span_count, &s->span_room);

    if (!to)
        return;
    *to = (struct rca_span){
        .id = hash_read8(span->span_id),
        .parent_id = hash_read8(span->parent_span_id),
        .start_ns = span->start_ns,
        .end_ns = span->end_ns,
        .component = candidate_of_resource(r->candidates, span->resource_id),
        .resource = span->resource_id,
        .name = span_term(r->terms, span),
        .parent = NO_INDEX,
        .first_child = NO_INDEX,
        .next_sibling = NO_INDEX,
        .kind = span->kind,
        .failed = span_failed(span)};
    memcpy(to->trace_id, span->trace_id, 16);
    s->span_count += to->name != NO_INDEX;
}

static void take_log(void *arg, const struct log_record *log)
{
    struct sample_reader *r = arg;
    struct trace_sample *s = r->sample;
    struct rca_log *to =
        arena_append(r->arena, &s->logs, s->log_count, &s->log_room);

    if (!to)
        return;
    *to = (struct rca_log){.time_ns = log->time_ns,
                           .span_id = hash_read8(log->span_id),
                           .span = NO_INDEX,
                           .fingerprint = log_fingerprint(r->terms, log),
                           .level = log->level};
    memcpy(to->trace_id, log->trace_id, 16);
    s->log_count += to->fingerprint != NO_INDEX;
}

static void add_range(struct sample_reader *r, struct cause_window time,
                      uint32_t keep)
{
    uint64_t margin = MARGIN_S * NS_PER_S;

    r->ranges[r->range_count++] = (struct sample_range){
        .start_ns = time.start_ns > margin ? time.start_ns - margin : 0,
        .end_ns = time.end_ns + margin,
        .keep = keep};
}

static enum status read_ranges(struct sample_reader *r)
{
    struct sample_query query = {.ranges = r->ranges,
                                 .range_count = r->range_count,
                                 .resources = r->candidates->resources};
    enum status s = reader_sample_spans(r->reader, &query, take_span, r);

    if (s == OK)
        s = reader_sample_logs(r->reader, &query, take_log, r);
    return s != OK ? s : arena_status(r->arena);
}

/* ---- which records are read ---- */

static uint64_t slice_distance(const struct cause_window *period)
{
    return (period->end_ns - period->start_ns) / SLICES;
}

/* Not at the same second of a minute: jobs that run every minute are in some
 * slices only. */
static uint64_t slice_middle(const struct cause_window *period, uint32_t i)
{
    uint64_t shift = i * 11 % SHIFT_S * NS_PER_S;

    return period->start_ns + i * slice_distance(period) +
           (slice_distance(period) - SHIFT_S * NS_PER_S) / 2 + shift;
}

/* Slices, with the margin around them, do not overlap. */
static double max_slice_ns(const struct cause_window *period)
{
    uint64_t between = (2 * MARGIN_S + SHIFT_S) * NS_PER_S;

    return fmin((double)(MAX_SLICE_S * NS_PER_S),
                (double)slice_distance(period) - (double)between);
}

static uint32_t sample_share(double wanted, double all)
{
    return all > wanted ? (uint32_t)(wanted / all * SAMPLE_ALL) + 1
                        : SAMPLE_ALL;
}

/* Where there are many records, a slice is short, and of its traces a share is
 * kept: the blocks outside it need not be read. */
static void add_slice(struct sample_reader *r, const struct record_counts *c,
                      uint64_t middle_ns, double wanted)
{
    double per_ns =
        c->minutes[(middle_ns - c->from_ns) / NS_PER_MIN] / (double)NS_PER_MIN;
    double length = fmin(max_slice_ns(&c->time), wanted / fmax(per_ns, 1e-12));
    double all = per_ns * (length + 2.0 * MARGIN_S * (double)NS_PER_S);
    uint64_t half = (uint64_t)length / 2;
    struct cause_window slice = {middle_ns - half, middle_ns + half};

    add_range(r, slice, sample_share(wanted, all));
}

static enum status read_period(struct sample_reader *r,
                               struct cause_window period, uint32_t max_spans)
{
    struct record_counts c = {.time = period};
    double total = 0;
    enum status s =
        read_counts(&c, r->reader, r->candidates->resources, r->arena);

    for (uint32_t i = 0; s == OK && i < c.count; i++)
        total += c.minutes[i];
    if (s != OK)
        return s;
    r->sample->is_part = total > max_spans;
    r->range_count = 0;
    if (total <= max_spans ||
        max_slice_ns(&period) < (double)(MIN_SLICE_S * NS_PER_S))
        add_range(r, period, sample_share(max_spans, total));
    else
        for (uint32_t i = 0; i < SLICES; i++)
            add_slice(r, &c, slice_middle(&period, i),
                      (double)max_spans / SLICES);
    return read_ranges(r);
}

enum status trace_samples_read(struct trace_samples *samples,
                               struct reader *reader,
                               struct candidates *candidates,
                               const struct rca_times *times,
                               uint32_t max_spans, struct arena *arena)
{
    struct sample_reader r = {.reader = reader,
                              .candidates = candidates,
                              .terms = &samples->terms,
                              .arena = arena};
    enum status s = OK;

    samples->arena = arena;
    if (!terms_init(&samples->terms, arena))
        return arena_status(arena);
    for (int p = 0; p < PERIODS && s == OK; p++) {
        r.sample = &samples->period[p];
        s = read_period(&r, times->period[p], max_spans);
        if (s == OK && !trace_build(r.sample, &times->period[p], arena))
            s = arena_status(arena);
    }
    if (s == OK && !trace_find_lost_answers(samples))
        s = arena_status(arena);
    return s;
}
