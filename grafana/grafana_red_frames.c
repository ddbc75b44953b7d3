/*
 * Requests, errors, response times: families over grafana_red.h. In: a query.
 * Out: one wide frame, a field for each group (and quantile).
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "grafana_handlers.h"
#include "grafana_red.h"

enum { MAX_MEASURES = 8 };

/* What is shown of each group. */
struct measure {
    struct slice name;          /* "p95"; empty: the family says it all */
    struct metric_expr expr[2]; /* over the leaves of derived, sdk */
};

struct red_frame {
    struct grafana_red red;
    struct measure measures[MAX_MEASURES];
    uint32_t count;
    const char *name, *unit; /* of the fields */
    const char *what;        /* "requests", for people */
};

static void label_names(struct grafana_field *field,
                        const struct grafana_red *r,
                        const struct red_names *names)
{
    for (int k = 0; k < BY_COUNT; k++)
        if (r->by >> k & 1 && names->name[k].len > 0)
            field_label(field, red_by_names[k], names->name[k]);
}

static void link_names(struct grafana_field *field, const struct grafana_red *r,
                       const struct red_names *names)
{
    if (!field || !(r->by >> BY_COMPONENT & 1) ||
        names->identity.component.len == 0)
        return;
    if (names->name[BY_ENDPOINT].len > 0 && r->source == RED_SERVED)
        field_link(
            field, "Show the endpoint",
            link_endpoint(r->q, &names->identity, names->name[BY_ENDPOINT]),
            false);
    else
        field_link(field, "Show the component",
                   link_component(r->q, &names->identity), false);
}

static struct slice title_of(struct red_frame *f, const struct red_series *one,
                             const struct measure *measure)
{
    struct arena *arena = f->red.q->request->arena;

    if (measure->name.len == 0 || (f->count == 1 && one->title.len > 0))
        return one->title.len > 0 ? one->title : slice_of(f->name);
    return one->title.len == 0
               ? measure->name
               : arena_format(arena, "%.*s %.*s", SLICE_ARGS(one->title),
                              SLICE_ARGS(measure->name));
}

static void add_field(struct red_frame *f, struct grafana_frame *frame,
                      const struct red_series *one,
                      const struct measure *measure)
{
    struct grafana_field *field = frame_field(frame, f->name, FIELD_NUMBER);
    const struct metric_expr *expr = &measure->expr[one->part == &f->red.sdk];

    if (!field)
        return;
    field->unit = f->unit;
    field->display_name = title_of(f, one, measure);
    label_names(field, &f->red, one->names);
    if (measure->name.len > 0)
        field_label(field, "quantile", measure->name);
    link_names(field, &f->red, one->names);
    for (uint32_t i = 0; i < f->red.grid.count; i++)
        field_number_at(field, i,
                        metric_value(&one->part->grouped, one->group, expr, i));
}

static void add_notices(const struct grafana_red *r,
                        struct grafana_frame *frame)
{
    static const char *const keys[] = {"kind", NULL};

    query_tell_unapplied(r->q, frame, keys);
    if (r->left_out > 0)
        frame_notice(frame, NOTICE_INFO,
                     "the %u with most requests are shown, %u are left out; "
                     "raise limit or narrow the scope",
                     r->count, r->left_out);
    if (r->q->narrowed && r->count > 0)
        frame_notice(frame, NOTICE_INFO,
                     "by pod, version or another attribute there are only the "
                     "metrics that the components themselves sent");
}

static void explain_empty(const struct grafana_red *r,
                          struct grafana_frame *frame, const char *what)
{
    if (r->q->narrowed && r->q->sent->count > 0)
        frame_notice(frame, NOTICE_WARNING,
                     "requests are counted by component, endpoint and "
                     "operation, not by pod, version or another attribute, and "
                     "the components sent no such metrics themselves");
    else
        query_empty(r->q, frame, what, SIGNAL_SPANS);
}

static struct grafana_frame *time_frame(struct grafana_red *r, const char *name,
                                        const char *type)
{
    struct grafana_frame *frame = query_frame(r->q, slice_of(name));
    struct grafana_field *time = frame_field(frame, "time", FIELD_TIME);

    if (!frame)
        return NULL;
    frame->type = type;
    frame->visual = "graph";
    if (r->count == 0)
        return frame;
    frame_rows(frame, r->grid.count);
    for (uint32_t i = 0; i < r->grid.count; i++)
        field_time_at(time, i, grid_time(&r->grid, i));
    return frame;
}

static enum status reply(struct red_frame *f)
{
    struct grafana_red *r = &f->red;
    struct grafana_frame *frame =
        time_frame(r, f->red.q->family->target, "timeseries-wide");

    enum status s = OK;

    red_titles(r);
    for (uint32_t i = 0; i < r->count && s == OK; i++) {
        s = red_open(r, i);
        for (uint32_t m = 0; s == OK && m < f->count; m++)
            add_field(f, frame, &r->series[i], &f->measures[m]);
    }
    red_close(r);
    if (s != OK)
        return s;
    if (r->count == 0) {
        struct grafana_field *none = frame_field(frame, f->name, FIELD_NUMBER);

        if (none)
            none->unit = f->unit;
        explain_empty(r, frame, f->what);
    }
    add_notices(r, frame);
    return OK;
}

/* ---- rates ---- */

/* Expressions have pointers into the struct, which stays where it is. */
struct rates {
    struct red_frame frame;
    struct metric_expr chosen[2], known[2]; /* errors; 0 where requests were */
};

enum status grafana_requests(struct grafana_query *q)
{
    struct red_frame f = {
        .count = 1, .name = "requests", .unit = "reqps", .what = "requests"};
    enum status s = red_read(&f.red, q, false);

    if (s != OK)
        return s;
    f.measures[0].expr[0] = f.red.derived.red.rows[RED_REQUESTS];
    f.measures[0].expr[1] = f.red.sdk.red.rows[RED_REQUESTS];
    return reply(&f);
}

/* outcome: errors (the component failed), client_errors (HTTP 4xx), all. */
static enum status choose_errors(struct rates *rates)
{
    struct grafana_red *r = &rates->frame.red;
    struct red_part *const parts[] = {&r->derived, &r->sdk};
    struct slice outcome = payload_text(r->q, "outcome");

    for (int i = 0; i < 2; i++) {
        struct red *red = &parts[i]->red;
        const struct metric_expr *errors = &red->errors;

        if (slice_equal(outcome, SLICE("client_errors")))
            errors = &red->client_errors;
        else if (slice_equal(outcome, SLICE("all")))
            errors = &red->unsuccessful;
        else if (outcome.len > 0 && !slice_equal(outcome, SLICE("errors")))
            return query_refuse(r->q,
                                "outcome must be errors, client_errors or all");
        rates->known[i] =
            (struct metric_expr){EXPR_OR_ZERO, .args = {errors, red->requests}};
    }
    return OK;
}

static enum status read_errors(struct rates *rates, struct grafana_query *q)
{
    enum status s = red_read(&rates->frame.red, q, false);

    return s == OK ? choose_errors(rates) : s;
}

enum status grafana_errors(struct grafana_query *q)
{
    struct rates rates = {
        .frame = {
            .count = 1, .name = "errors", .unit = "reqps", .what = "requests"}};
    enum status s = read_errors(&rates, q);

    if (s != OK)
        return s;
    for (int i = 0; i < 2; i++)
        rates.frame.measures[0].expr[i] =
            (struct metric_expr){EXPR_PER_SECOND, .args = {&rates.known[i]}};
    return reply(&rates.frame);
}

enum status grafana_error_ratio(struct grafana_query *q)
{
    struct rates rates = {.frame = {.count = 1,
                                    .name = "error ratio",
                                    .unit = "percentunit",
                                    .what = "requests"}};
    enum status s = read_errors(&rates, q);
    struct grafana_red *r = &rates.frame.red;

    if (s != OK)
        return s;
    rates.frame.measures[0].expr[0] = (struct metric_expr){
        EXPR_DIVIDE, .args = {&rates.known[0], r->derived.red.requests}};
    rates.frame.measures[0].expr[1] = (struct metric_expr){
        EXPR_DIVIDE, .args = {&rates.known[1], r->sdk.red.requests}};
    return reply(&rates.frame);
}

/* ---- response times ---- */

/* "0.95", "95", "p95" or "mean". */
static bool read_quantile(struct slice text, double *q)
{
    char copy[16], *end;

    if (text.len > 0 && (text.ptr[0] == 'p' || text.ptr[0] == 'P'))
        text = slice_from(text, 1);
    else if (slice_equal(text, SLICE("max")))
        text = SLICE("1");
    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    slice_copy(copy, text);
    copy[text.len] = '\0';
    *q = strtod(copy, &end);
    if (*end || !(*q >= 0))
        return false;
    if (*q > 1)
        *q /= 100;
    return *q <= 1;
}

static struct metric_expr time_expr(const struct red_part *part, bool mean,
                                    double quantile)
{
    return (struct metric_expr){mean ? EXPR_MEAN : EXPR_QUANTILE,
                                .number = quantile,
                                .args = {&part->red.latency}};
}

static enum status add_quantile(struct red_frame *f, struct slice text)
{
    bool mean =
        slice_equal(text, SLICE("mean")) || slice_equal(text, SLICE("avg"));
    struct measure *m = &f->measures[f->count];
    double quantile = 0;

    if (!mean && !read_quantile(text, &quantile))
        return query_refuse(f->red.q,
                            "quantile must be from 0 to 1, such as 0.95, or "
                            "mean; it is %.*s",
                            SLICE_ARGS(slice_truncate(text, 80)));
    m->name =
        mean ? SLICE("mean")
             : arena_format(f->red.q->request->arena, "p%g", quantile * 100);
    m->expr[0] = time_expr(&f->red.derived, mean, quantile);
    m->expr[1] = time_expr(&f->red.sdk, mean, quantile);
    f->count++;
    return OK;
}

enum status grafana_latency(struct grafana_query *q)
{
    static const struct slice standard[] = {
        SLICE_INIT("0.5"), SLICE_INIT("0.95"), SLICE_INIT("0.99")};
    struct red_frame f = {.name = "latency", .unit = "s", .what = "requests"};
    enum status s = red_read(&f.red, q, true);
    const struct slice *texts;
    uint32_t count;

    if (s != OK)
        return s;
    texts = payload_texts(q, "quantile", &count);
    if (count == 0)
        texts = payload_texts(q, "quantiles", &count);
    if (count == 0) {
        texts = standard;
        count = sizeof(standard) / sizeof(standard[0]);
    }
    for (uint32_t i = 0; s == OK && i < count && i < MAX_MEASURES; i++)
        s = add_quantile(&f, texts[i]);
    return s == OK ? reply(&f) : s;
}

/* ---- the heatmap ---- */

enum { DECADE = 6, DECADES = 8, BOUNDS = DECADE * DECADES };

/* 10 us to 1000 s. */
static double bound_at(int i)
{
    static const double steps[DECADE] = {1, 1.5, 2, 3, 5, 7.5};

    return steps[i % DECADE] * pow(10, i / DECADE - 5);
}

/* The largest bound that has requests above it, and the smallest below which
 * there are some. */
struct heat_bounds {
    int first, last;
};

static double above(const struct hist *hist, int bound)
{
    return bound < 0 ? hist->count : hist_count_above(hist, bound_at(bound));
}

static struct heat_bounds find_bounds(const struct hist *hists, uint32_t count)
{
    struct heat_bounds b = {BOUNDS - 1, 0};

    for (uint32_t i = 0; i < count; i++) {
        int first = 0, last = BOUNDS - 1;

        if (!(hists[i].count > RED_NONE))
            continue;
        while (first < BOUNDS - 1 &&
               above(&hists[i], first) > hists[i].count - RED_NONE)
            first++;
        while (last > 0 && above(&hists[i], last - 1) < RED_NONE)
            last--;
        b.first = first < b.first ? first : b.first;
        b.last = last > b.last ? last : b.last;
    }
    return b;
}

static void add_bucket(const struct grafana_red *r, struct grafana_frame *frame,
                       const struct hist *hists, const struct heat_bounds *b,
                       int bound)
{
    struct arena *arena = r->q->request->arena;
    struct slice text = bound > b->last
                            ? SLICE("+Inf")
                            : arena_format(arena, "%g", bound_at(bound));
    struct grafana_field *field =
        frame_field(frame, grafana_cstr(arena, text), FIELD_NUMBER);

    if (!field)
        return;
    field->unit = "short";
    field->display_name = text; /* a number, which the axis gives a unit */
    field_label(field, "le", text);
    for (uint32_t i = 0; i < r->grid.count; i++) {
        double below =
            bound == b->first ? hists[i].count : above(&hists[i], bound - 1);
        double over = bound > b->last ? 0 : above(&hists[i], bound);

        if (hists[i].count > RED_NONE)
            field_number_at(field, i,
                            fmax(round((below - over) * 1e3) / 1e3, 0));
    }
}

enum status grafana_heatmap(struct grafana_query *q)
{
    struct grafana_red r;
    enum status s = red_read(&r, q, true);
    struct grafana_frame *frame;
    const struct hist *hists;
    struct heat_bounds b;

    if (s != OK)
        return s;
    if (r.count > 1 || r.by != 0)
        return query_refuse(q, "a heatmap is of one distribution: leave by "
                               "empty and narrow the scope");
    frame = time_frame(&r, q->family->target, "heatmap-rows");
    if (r.count == 0) {
        explain_empty(&r, frame, "requests");
        return OK;
    }
    s = red_open(&r, 0);
    hists = s == OK ? r.series[0].group->cells[0].hists : NULL; /* first leaf */
    if (!hists) {
        red_close(&r);
        return s;
    }
    b = find_bounds(hists, r.grid.count);
    /* Above the last bound there is one bucket more. */
    for (int i = b.first; i <= b.last + (b.last == BOUNDS - 1); i++)
        add_bucket(&r, frame, hists, &b, i);
    red_close(&r);
    if (frame)
        frame->custom = SLICE("{\"unit\":\"s\"}");
    add_notices(&r, frame);
    return OK;
}
