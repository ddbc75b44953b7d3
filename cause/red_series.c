#include "red_series.h"

#include "derived.h"

/* clang-format off */
static const struct {
    struct slice name;
    bool errors, call;
} series[] = {
    {SLICE_INIT(DERIVED_DURATION),      false, false},
    {SLICE_INIT(DERIVED_ERRORS),        true,  false},
    {SLICE_INIT(DERIVED_RETRACTED_DURATION), false, false},
    {SLICE_INIT(DERIVED_RETRACTED_ERRORS),   true,  false},
    {SLICE_INIT(DERIVED_OUT_DURATION),  false, true}, /* calls are the last */
    {SLICE_INIT(DERIVED_OUT_ERRORS),    true,  true},
};
/* clang-format on */
enum { ALL_SERIES = sizeof(series) / sizeof(*series), SERVED_SERIES = 4 };

struct red_reader {
    struct candidates *candidates;
    red_visit *visit;
    void *arg;
    /* Of the series that is being read: */
    bool is_known, is_wanted, errors;
    int sign;
    struct red_point common;
};

static uint32_t callee_of(struct candidates *candidates, const struct point *p)
{
    const struct attr *id = attrs_find(&p->attrs, SLICE(DERIVED_PEER_ID));
    struct slice kind = attrs_text(&p->attrs, SLICE(DERIVED_PEER_KIND));

    if (!slice_equal(kind, SLICE("component")))
        return candidate_of_peer(
            candidates, kind, attrs_text(&p->attrs, SLICE(DERIVED_PEER_NAME)));
    return id && id->type == VALUE_INT
               ? candidate_of_identity(candidates, (uint32_t)id->i)
               : NO_INDEX;
}

static void read_series(void *arg)
{
    struct red_reader *r = arg;

    r->is_known = false;
}

static void know_series(struct red_reader *r, const struct point *p)
{
    struct red_point *c = &r->common;
    int i = 0;

    r->is_known = true;
    r->is_wanted = false;
    while (i < ALL_SERIES && !slice_equal(series[i].name, p->metric->name))
        i++;
    if (i == ALL_SERIES ||
        p->metric->type !=
            (series[i].errors ? METRIC_SUM : METRIC_EXP_HISTOGRAM))
        return; /* another sender's */
    r->sign = derived_sign(p->metric->name);
    r->errors = series[i].errors;
    *c = (struct red_point){
        .component = candidate_of_resource(r->candidates, p->resource_id),
        .callee = NO_INDEX,
        .operation =
            attrs_text(&p->attrs, series[i].call ? SLICE(DERIVED_PEER_NAME)
                                                 : SLICE(DERIVED_OPERATION))};
    if (series[i].call && c->component != NO_INDEX)
        c->callee = callee_of(r->candidates, p);
    r->is_wanted =
        !series[i].call || (c->callee != NO_INDEX && c->callee != c->component);
}

static void read_point(void *arg, const struct point *p)
{
    struct red_reader *r = arg;

    if (!r->is_known)
        know_series(r, p);
    if (!r->is_wanted)
        return;
    struct red_point point = r->common;
    point.start_ns = p->start_ns;
    point.end_ns = p->time_ns;
    if (r->errors) {
        point.errors = r->sign * (p->is_int ? (double)p->i : p->d);
    } else {
        point.requests = r->sign * (double)p->histogram->count;
        point.seconds = r->sign * p->histogram->sum;
        point.durations = p->histogram;
    }
    r->visit(r->arg, &point);
}

enum status red_series_read(struct reader *reader,
                            struct candidates *candidates,
                            const struct bitmap *resources,
                            struct cause_window time, bool calls,
                            red_visit *visit, void *arg)
{
    struct slice names[ALL_SERIES];
    struct red_reader r = {
        .candidates = candidates, .visit = visit, .arg = arg};
    struct series_query query = {.start_ns = time.start_ns,
                                 .end_ns = time.end_ns,
                                 .resources = resources,
                                 .names = names,
                                 .name_count =
                                     calls ? ALL_SERIES : SERVED_SERIES,
                                 .series = read_series};

    for (uint32_t i = 0; i < ALL_SERIES; i++)
        names[i] = series[i].name;
    return reader_query_series(reader, &query, read_point, &r);
}
