/*
 * Reads the traces of a half of the question and what was logged in them. A
 * busy project has more than can be looked at in milliseconds: then some
 * minutes, spread evenly, and of these a share of the traces. How many there
 * are is known from the derived series before one is read.
 */
#include "clock.h"
#include "derived.h"
#include "hash.h"
#include "rca_context.h"

enum {
    MAX_SLICES = 8, /* minutes looked at when not all can be */
    /* Spans of one trace are kept together if it took no longer than this,
     * on either side: what began before the time is told by its beginning. */
    MARGIN_S = 10,
};

/* ---- how many records there are ---- */

struct minutes {
    struct cause_window time;
    uint64_t from; /* the first whole minute */
    double *counts;
    uint32_t count;
};

static void count_point(void *arg, const struct point *point)
{
    struct minutes *m = arg;
    uint64_t at = point->start_ns < m->from
                      ? 0
                      : (point->start_ns - m->from) / NS_PER_MIN;
    const struct attr *signal =
        attrs_find(&point->attrs, SLICE(DERIVED_SIGNAL));

    if (!signal || slice_equal(attr_text(signal), SLICE("metrics")))
        return;
    if (at < m->count)
        m->counts[at] += point->is_int ? (double)point->i : point->d;
}

static enum status count_minutes(struct rca_context *facts, struct minutes *m)
{
    static const struct slice names[] = {
        {DERIVED_RECORDS, sizeof(DERIVED_RECORDS) - 1}};
    struct series_query query = {.start_ns = m->time.start_ns,
                                 .end_ns = m->time.end_ns + NS_PER_MIN,
                                 .resources = facts->resources,
                                 .names = names,
                                 .name_count = 1};

    m->from = m->time.start_ns / NS_PER_MIN * NS_PER_MIN;
    m->count = (uint32_t)((m->time.end_ns - m->from) / NS_PER_MIN) + 1;
    m->counts = arena_zero(facts->arena, m->count, sizeof(*m->counts));
    if (!m->counts)
        return arena_status(facts->arena);
    return reader_query_series(facts->question->reader, &query, count_point, m);
}

/* ---- reading ---- */

struct taking {
    struct rca_context *facts;
    struct trace_sample *sample;
    struct cause_window time;
};

static bool is_error_name(struct slice name)
{
    static const char *const words[] = {"error", "exception"};

    for (size_t w = 0; w < 2; w++) {
        size_t len = strlen(words[w]);

        for (size_t i = 0; i + len <= name.len; i++) {
            size_t k = 0;

            while (k < len && (name.ptr[i + k] | 0x20) == words[w][k])
                k++;
            if (k == len)
                return true;
        }
    }
    return false;
}

static uint32_t span_name(struct rca_context *facts, const struct span *span)
{
    struct slice name = span->operation.len > 0 ? span->operation : span->name;
    bool bad = is_error_name(name);

    return terms_add(&facts->terms,
                     hash_mix(1, hash_bytes(name.ptr, name.len, 0)), name,
                     (struct slice){NULL, 0}, bad);
}

static uint64_t id_of(const uint8_t id[8])
{
    uint64_t value;

    memcpy(&value, id, sizeof(value));
    return value;
}

static void take_span(void *arg, const struct span *span)
{
    struct taking *t = arg;
    struct trace_sample *s = t->sample;
    struct rca_span *part;

    /* A block shows all that it has of a trace, what is in memory only what is
     * in this time: the answer must not depend on where it lies. */
    if (span->start_ns < t->time.start_ns || span->start_ns >= t->time.end_ns)
        return;
    part = facts_append(t->facts, &s->parts, s->part_count, &s->part_room);
    if (!part)
        return;
    *part = (struct rca_span){.id = id_of(span->span_id),
                              .up_id = id_of(span->parent_span_id),
                              .start_ns = span->start_ns,
                              .end_ns = span->end_ns,
                              .component =
                                  facts_component(t->facts, span->resource_id),
                              .name = span_name(t->facts, span),
                              .up = NOBODY,
                              .kid = NOBODY,
                              .next = NOBODY,
                              .kind = span->kind,
                              .failed = span_failed(span)};
    memcpy(part->trace, span->trace_id, 16);
    if (part->name == NOBODY)
        t->facts->full = true;
    else
        s->part_count++;
}

static void take_log(void *arg, const struct log_record *log)
{
    struct taking *t = arg;
    struct trace_sample *s = t->sample;
    struct rca_log *line =
        facts_append(t->facts, &s->lines, s->line_count, &s->line_room);
    uint32_t event;

    if (!line)
        return;
    event = line_event(t->facts, log);
    if (event == NOBODY) {
        t->facts->full = true;
        return;
    }
    *line = (struct rca_log){.time_ns = log->time_ns,
                             .id = id_of(log->span_id),
                             .part = NOBODY,
                             .event = event,
                             .level = log->level};
    memcpy(line->trace, log->trace_id, 16);
    s->line_count++;
}

static enum status read_slice(struct rca_context *facts,
                              struct trace_sample *sample,
                              struct cause_window time, uint32_t keep)
{
    uint64_t margin = MARGIN_S * NS_PER_S;
    uint64_t start = time.start_ns > margin ? time.start_ns - margin : 0;
    struct taking taking = {facts, sample, {start, time.end_ns + margin}};
    struct sample_query query = {.start_ns = taking.time.start_ns,
                                 .end_ns = taking.time.end_ns,
                                 .resources = facts->resources,
                                 .keep = keep};
    struct reader *reader = facts->question->reader;
    enum status s = reader_sample_spans(reader, &query, take_span, &taking);

    if (s == OK)
        s = reader_sample_logs(reader, &query, take_log, &taking);
    return s != OK ? s : arena_status(facts->arena);
}

static struct cause_window minute_of(const struct minutes *m, uint32_t i)
{
    struct cause_window w = {m->from + i * NS_PER_MIN,
                             m->from + (i + 1) * NS_PER_MIN};

    if (w.start_ns < m->time.start_ns)
        w.start_ns = m->time.start_ns;
    if (w.end_ns > m->time.end_ns)
        w.end_ns = m->time.end_ns;
    return w;
}

enum status sample_read(struct rca_context *facts, enum rca_period half)
{
    struct minutes m = {.time = facts->times[half]};
    struct trace_sample *sample = &facts->halves[half];
    double total = 0, some = 0;
    uint32_t step = 1;
    enum status s = count_minutes(facts, &m);

    for (uint32_t i = 0; s == OK && i < m.count; i++)
        total += m.counts[i];
    if (s != OK)
        return s;
    if (total <= facts->max_spans)
        return read_slice(facts, sample, m.time, SAMPLE_ALL);
    if (m.count > MAX_SLICES)
        step = (m.count + MAX_SLICES - 1) / MAX_SLICES;
    for (uint32_t i = step / 2; i < m.count; i += step)
        some += m.counts[i];
    double share = some > facts->max_spans ? facts->max_spans / some : 1;
    if (step == 1)
        return read_slice(facts, sample, m.time,
                          (uint32_t)(share * SAMPLE_ALL) + 1);
    for (uint32_t i = step / 2; i < m.count && s == OK; i += step)
        s = read_slice(facts, sample, minute_of(&m, i),
                       (uint32_t)(share * SAMPLE_ALL) + 1);
    return s;
}
