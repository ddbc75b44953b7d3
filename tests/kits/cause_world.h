/*
 * cause_world - a small simulated system for tests of root cause: web calls
 * api, api calls store and users, store calls a database. Ten healthy minutes,
 * then five with a fault; with the series that the correlator would derive.
 */
#ifndef CAUSE_WORLD_H
#define CAUSE_WORLD_H

#include <stdio.h>
#include <time.h>

#include "derived.h"
#include "fake_query.h"

enum { WEB, API, STORE, USERS, COMPONENTS };
enum { MAX_SPANS = 40000, MAX_LOGS = 60000, MAX_POINTS = 20000 };

enum fault { HEALTHY, CODE, SLOW_NETWORK, CPU, ERRORS, FEWER };

struct world {
    struct bed bed;
    uint32_t resources[COMPONENTS];
    uint64_t start_s;
    int per_minute;
    enum fault fault;
    int at; /* which component */
    uint32_t ids;
    int minutes, fault_from;     /* 15, and from 10 to the end */
    int early_from, early_until; /* an incident at users before; none */
    uint32_t served[COMPONENTS], failed[COMPONENTS]; /* in this minute */
    double slow_s, took_s; /* requests take so long in the fault; now */
    int fault_every;       /* only every so many requests; 0: all */
    uint64_t more_ms;      /* all requests take so much longer in the fault */
};

static const char *const plain[COMPONENTS] = {"web", "api", "store", "users"};

static inline struct world *world_new(const char *const names[COMPONENTS])
{
    struct world *w = calloc(1, sizeof(*w));

    bed_init(&w->bed);
    for (int i = 0; i < COMPONENTS; i++)
        w->resources[i] = bed_resource(&w->bed, "shop", names[i]);
    w->bed.store->strict = true;
    w->bed.store->spans = calloc(MAX_SPANS, sizeof(struct span));
    w->bed.store->logs = calloc(MAX_LOGS, sizeof(struct log_record));
    w->bed.store->points = calloc(MAX_POINTS, sizeof(struct point));
    w->start_s = 1700000040; /* a whole minute */
    w->per_minute = 20;
    w->minutes = 15;
    w->fault_from = 10;
    return w;
}

static inline void world_free(struct world *w)
{
    free(w->bed.store->spans);
    free(w->bed.store->logs);
    free(w->bed.store->points);
    bed_release(&w->bed);
    free(w);
}

static inline struct span *add_span(struct world *w, uint64_t trace,
                                    uint32_t up, int component, int kind,
                                    const char *name, uint64_t from_ns,
                                    uint64_t took_ns)
{
    struct span *s = &w->bed.store->spans[w->bed.store->span_count++];
    uint32_t id = ++w->ids;

    memcpy(s->trace_id, &trace, 8);
    s->trace_id[15] = 1;
    memcpy(s->span_id, &id, 4);
    memcpy(s->parent_span_id, &up, 4);
    s->start_ns = from_ns;
    s->end_ns = from_ns + took_ns;
    s->kind = (uint8_t)kind;
    s->name = s->operation = slice_of(name);
    s->resource_id = w->resources[component];
    return s;
}

static inline void add_log(struct world *w, const struct span *s,
                           enum level level, const char *text,
                           uint64_t after_ns)
{
    struct log_record *l = &w->bed.store->logs[w->bed.store->log_count++];

    memcpy(l->trace_id, s->trace_id, 16);
    memcpy(l->span_id, s->span_id, 8);
    l->time_ns = s->start_ns + after_ns;
    l->level = (uint8_t)level;
    l->body = bed_attr("", text);
    l->resource_id = s->resource_id;
}

#define MS UINT64_C(1000000)

/* One request to a component, with the call that makes it; false: it failed. */
static inline bool send_request(struct world *w, uint64_t trace, uint32_t up,
                                int from, int component, uint64_t at,
                                uint64_t ms, bool faulty)
{
    bool here = faulty && component == w->at, ok = true;
    uint64_t gap = here && w->fault == SLOW_NETWORK ? 200 : 2;
    uint32_t mine;

    if (from >= 0)
        up = (uint32_t)(add_span(w, trace, up, from, SPAN_CLIENT, "call", at,
                                 (ms + gap) * MS),
                        w->ids);
    struct span *s = add_span(w, trace, up, component, SPAN_SERVER, "GET /x",
                              at + gap / 2 * MS, ms * MS);
    mine = w->ids;
    add_log(w, s, LEVEL_INFO, "request received from somebody", MS / 2);
    if (here && w->fault == CODE) {
        add_log(w, s, LEVEL_ERROR, "cannot work: null pointer", MS);
        ok = false;
    } else if (here && w->fault == ERRORS) {
        ok = false;
    }
    if (ok && component == WEB)
        ok = send_request(w, trace, mine, WEB, API, s->start_ns + 2 * MS,
                          ms - 10, faulty);
    if (ok && component == API) {
        ok = send_request(w, trace, mine, API, USERS, s->start_ns + MS, 5,
                          faulty);
        ok = ok && send_request(w, trace, mine, API, STORE,
                                s->start_ns + 9 * MS, 10, faulty);
    }
    if (ok)
        add_log(w, s, LEVEL_INFO, "request done, all is well", ms * MS);
    s->status = ok ? SPAN_UNSET : SPAN_ERROR;
    w->served[component]++;
    w->failed[component] += !ok;
    return ok;
}

static inline void add_gauge(struct world *w, int component, uint64_t time_ns,
                             double value)
{
    static const struct metric metric = {
        .name = {"k8s.pod.cpu_limit_utilization", 29}, .type = METRIC_GAUGE};

    w->bed.store->points[w->bed.store->point_count++] =
        (struct point){.metric = &metric,
                       .time_ns = time_ns,
                       .d = value,
                       .resource_id = w->resources[component]};
}

/* ---- what the correlator would have derived ---- */

static const struct metric world_metrics[] = {
    {.name = {DERIVED_DURATION, sizeof(DERIVED_DURATION) - 1},
     .type = METRIC_EXP_HISTOGRAM},
    {.name = {DERIVED_ERRORS, sizeof(DERIVED_ERRORS) - 1}, .type = METRIC_SUM},
    {.name = {DERIVED_OUT_DURATION, sizeof(DERIVED_OUT_DURATION) - 1},
     .type = METRIC_EXP_HISTOGRAM},
    {.name = {DERIVED_OUT_ERRORS, sizeof(DERIVED_OUT_ERRORS) - 1},
     .type = METRIC_SUM},
};

static inline struct point *add_derived(struct world *w, int metric,
                                        int component, uint64_t minute_ns)
{
    struct point *p = &w->bed.store->points[w->bed.store->point_count++];
    struct attr *at = arena_zero(&w->bed.arena, 3, sizeof(*at));

    at[0] = bed_attr(DERIVED_OPERATION, "GET /x");
    at[1] = bed_attr(DERIVED_PEER_KIND, "database");
    at[2] = bed_attr(DERIVED_PEER_NAME, "store-db");
    *p = (struct point){.metric = &world_metrics[metric],
                        .attrs = {at, metric < 2 ? 1 : 3, 0},
                        .start_ns = minute_ns,
                        .time_ns = minute_ns + NS_PER_MIN,
                        .resource_id = w->resources[component]};
    return p;
}

static inline void add_requests(struct world *w, int metric, int component,
                                uint64_t minute_ns, uint32_t n, uint32_t failed)
{
    struct histogram *h = arena_zero(&w->bed.arena, 1, sizeof(*h));
    uint64_t *counts = arena_zero(&w->bed.arena, 1, sizeof(*counts));

    *counts = n;
    *h = (struct histogram){.count = n, .sum = n * w->took_s, .has_sum = true};
    h->positive.counts = counts;
    h->positive.count = 1;
    h->positive.offset = -7; /* 2^-7 s: 8 to 16 ms */
    add_derived(w, metric, component, minute_ns)->histogram = h;
    struct point *p = add_derived(w, metric + 1, component, minute_ns);
    p->is_int = true;
    p->i = failed;
}

static inline void derive_minute(struct world *w, uint64_t minute_ns)
{
    for (int component = 0; component < COMPONENTS; component++) {
        uint32_t n = w->served[component];

        if (n > 0)
            add_requests(w, 0, component, minute_ns, n, w->failed[component]);
        if (n > 0 && component == STORE)
            add_requests(w, 2, component, minute_ns, n, 0);
        w->served[component] = w->failed[component] = 0;
    }
}

/* A minute of the world, with its fault or without. */
static inline void generate_minute(struct world *w, int minute, bool traces,
                                   bool metrics)
{
    bool faulty = minute >= w->fault_from && w->fault != HEALTHY;
    bool early = minute >= w->early_from && minute < w->early_until;
    enum fault fault = w->fault;
    int where = w->at;
    uint64_t at = (w->start_s + (uint64_t)minute * 60) * NS_PER_S;
    int n = faulty && fault == FEWER ? w->per_minute / 4 : w->per_minute;

    if (early) {
        w->fault = ERRORS;
        w->at = USERS;
    }
    for (int i = 0; traces && i < n; i++)
        (void)send_request(w, (uint64_t)minute << 32 | (uint64_t)(i + 1), 0, -1,
                           WEB, at + (uint64_t)i * 60000 / (uint64_t)n * MS,
                           60 + (faulty ? w->more_ms : 0),
                           (faulty || early) &&
                               (!w->fault_every || i % w->fault_every == 0));
    w->fault = fault;
    w->at = where;
    w->took_s = faulty && w->slow_s > 0 ? w->slow_s : 0.01;
    derive_minute(w, at);
    for (int component = 0; metrics && component < COMPONENTS; component++)
        add_gauge(w, component, at + 30 * NS_PER_S,
                  faulty && fault == CPU && component == where
                      ? 0.95
                      : 0.2 + 0.01 * (minute % 3));
}

static inline void generate(struct world *w, bool traces, bool metrics)
{
    for (int minute = 0; minute < w->minutes; minute++)
        generate_minute(w, minute, traces, metrics);
}

static inline const char *time_text(uint64_t s, char text[32])
{
    time_t t = (time_t)s;
    struct tm tm;

    gmtime_r(&t, &tm);
    strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
    return text;
}

/* About the minutes from, until of the world, with more members. */
static inline json_t *ask_cause(struct world *w, int from, int until,
                                const char *more)
{
    char start[32], end[32], body[1024];

    snprintf(body, sizeof(body),
             "{\"startTime\":\"%s\",\"endTime\":\"%s\",\"searchScope\":"
             "{\"namespace\":\"acme\",\"project\":\"shop\"}%s}",
             time_text(w->start_s + (uint64_t)from * 60, start),
             time_text(w->start_s + (uint64_t)until * 60, end), more);
    json_t *answer = bed_ask(&w->bed, "POST", "/api/v1/cause", body);
    CHECK_EQ(w->bed.status, 200);
    return answer;
}

/* The first suspect, "" if nothing stands out. */
static inline const char *first_of(struct world *w)
{
    static char name[128];
    json_t *answer = ask_cause(w, 10, 15, "");

    snprintf(name, sizeof(name), "%.*s",
             (int)bed_at(answer, "suspects.0.component").len,
             bed_at(answer, "suspects.0.component").ptr);
    if (!json_is_true(json_object_get(answer, "found")))
        name[0] = '\0';
    json_decref(answer);
    return name;
}

#endif
