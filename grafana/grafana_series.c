/*
 * Any stored series by name: its value, rate, increase, quantile or mean, by
 * attributes of points, of resources, and by names. In: a query. Out: one wide
 * frame for each name.
 */
#include <math.h>
#include <stdlib.h>

#include "clock.h"
#include "component.h"
#include "grafana_handlers.h"
#include "grafana_query.h"
#include "reply_metrics.h"

enum {
    SERIES_STANDARD = 20,
    SERIES_MOST = 200,
    NAMES_MAX = 8,
    KEYS_MAX = METRIC_MAX_BY /* by, and those that are filtered */
};

enum series_function {
    SERIES_AUTO,
    SERIES_VALUE,
    SERIES_RATE,
    SERIES_INCREASE,
    SERIES_QUANTILE,
    SERIES_MEAN
};
static const char *const functions[] = {"auto",     "value",    "rate",
                                        "increase", "quantile", "mean"};

struct named_group {
    struct slice labels[KEYS_MAX]; /* of by */
};

struct named_series {
    struct grafana_query *q;
    struct slice name;
    enum series_function function;
    double quantile;
    struct grid grid;
    const char *keys[KEYS_MAX + 1];
    uint32_t by_count, key_count;
    bool by_identity; /* or by an attribute of resources */
    /* Of the newest point. */
    uint8_t type;
    bool monotonic, found;
    struct slice unit;
    struct metric_expr leaf, shown;
    struct metric_table table, grouped;
};

/* ---- what the series is ---- */

static void visit_kind(void *arg, const struct point *point)
{
    struct named_series *n = arg;

    if (n->found)
        return;
    n->found = true;
    n->type = point->metric->type;
    n->monotonic = point->metric->monotonic;
    n->unit = arena_copy(n->q->request->arena, point->metric->unit);
}

/* Of the newest hour, else of all of the range. */
static enum status find_kind(struct named_series *n)
{
    struct series_query query = {.start_ns = n->q->start_ns,
                                 .end_ns = n->q->end_ns,
                                 .resources = n->q->sent,
                                 .names = &n->name,
                                 .name_count = 1};
    bool is_long = query.end_ns - query.start_ns > NS_PER_HOUR;
    struct reader *reader = n->q->request->reader;
    enum status s;

    if (is_long)
        query.start_ns = query.end_ns - NS_PER_HOUR;
    s = reader_query_series(reader, &query, visit_kind, n);
    if (s == OK && !n->found && is_long) {
        query.start_ns = n->q->start_ns;
        s = reader_query_series(reader, &query, visit_kind, n);
    }
    return s == OK ? OK : query_fail_read(n->q->request, s);
}

static enum status read_function(struct named_series *n)
{
    struct slice text = payload_text(n->q, "function");
    struct slice quantile = payload_text(n->q, "quantile");
    char copy[16] = "";

    n->function = text.len > 0 ? SERIES_MEAN + 1 : SERIES_AUTO;
    for (int i = 0; i <= SERIES_MEAN; i++)
        if (slice_equal(text, slice_of(functions[i])))
            n->function = (enum series_function)i;
    if (n->function > SERIES_MEAN)
        return query_refuse(n->q, "function must be auto, value, rate, "
                                  "increase, quantile or mean");
    if (quantile.len > 0 && quantile.len < sizeof(copy))
        slice_copy(copy, quantile);
    n->quantile = copy[0] ? strtod(copy, NULL) : 0.95;
    if (n->quantile > 1)
        n->quantile /= 100;
    if (!(n->quantile >= 0 && n->quantile <= 1))
        return query_refuse(n->q, "quantile must be from 0 to 1");
    return OK;
}

/* What people expect of each type. */
static void choose_function(struct named_series *n)
{
    if (n->function != SERIES_AUTO)
        return;
    if (n->type == METRIC_HISTOGRAM || n->type == METRIC_EXP_HISTOGRAM)
        n->function = SERIES_QUANTILE;
    else if (n->type == METRIC_SUMMARY)
        n->function = SERIES_MEAN;
    else
        n->function =
            n->type == METRIC_SUM && n->monotonic ? SERIES_RATE : SERIES_VALUE;
}

static void set_expression(struct named_series *n)
{
    static const enum metric_op leaves[] = {[SERIES_VALUE] = EXPR_AVERAGE,
                                            [SERIES_RATE] = EXPR_INCREASE,
                                            [SERIES_INCREASE] = EXPR_INCREASE,
                                            [SERIES_QUANTILE] = EXPR_HISTOGRAM,
                                            [SERIES_MEAN] = EXPR_HISTOGRAM};

    n->leaf = (struct metric_expr){
        leaves[n->function], .select = {.names = &n->name, .name_count = 1}};
    n->shown = n->leaf;
    if (n->function == SERIES_RATE)
        n->shown = (struct metric_expr){EXPR_PER_SECOND, .args = {&n->leaf}};
    else if (n->function == SERIES_QUANTILE)
        n->shown = (struct metric_expr){EXPR_QUANTILE, .number = n->quantile,
                                        .args = {&n->leaf}};
    else if (n->function == SERIES_MEAN)
        n->shown = (struct metric_expr){EXPR_MEAN, .args = {&n->leaf}};
}

static const struct metric_expr *shown_of(const struct named_series *n)
{
    return n->function == SERIES_VALUE || n->function == SERIES_INCREASE
               ? &n->leaf
               : &n->shown;
}

/* From UCUM to Grafana; of a rate, per second. */
static const char *unit_of(const struct named_series *n)
{
    static const struct {
        struct slice unit;
        const char *grafana, *rate;
    } units[] = {{SLICE_INIT("s"), "s", "short"},
                 {SLICE_INIT("ms"), "ms", "short"},
                 {SLICE_INIT("us"), "\u00b5s", "short"},
                 {SLICE_INIT("ns"), "ns", "short"},
                 {SLICE_INIT("By"), "bytes", "Bps"},
                 {SLICE_INIT("KiBy"), "kbytes", "KiBs"},
                 {SLICE_INIT("MiBy"), "mbytes", "MiBs"},
                 {SLICE_INIT("GiBy"), "gbytes", "GiBs"},
                 {SLICE_INIT("%"), "percent", "short"},
                 {SLICE_INIT("Cel"), "celsius", "short"},
                 {SLICE_INIT("Hz"), "hertz", "short"},
                 {SLICE_INIT("{cpu}"), "cores", "short"},
                 {SLICE_INIT("{request}"), "short", "reqps"}};
    bool rate = n->function == SERIES_RATE;

    for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
        if (slice_equal(n->unit, units[i].unit))
            return rate ? units[i].rate : units[i].grafana;
    return rate ? "cps" : "short";
}

/* ---- groups ---- */

static const enum identity_text identity_texts[] = {
    IDENTITY_NAMESPACE, IDENTITY_PROJECT, IDENTITY_ENVIRONMENT,
    IDENTITY_COMPONENT};

static int identity_key(const char *key)
{
    for (int k = 0; k < SCOPE_IDENTITY_KEYS; k++)
        if (strcmp(key, scope_keys[k]) == 0)
            return k;
    return -1;
}

static bool add_key(struct named_series *n, struct slice text)
{
    const char *key =
        grafana_cstr(n->q->request->arena, query_attribute_key(text));

    for (uint32_t i = 0; key && i < n->key_count; i++)
        if (strcmp(n->keys[i], key) == 0)
            return true;
    if (!key || n->key_count == KEYS_MAX)
        return false;
    n->keys[n->key_count++] = key;
    return true;
}

static enum status read_keys(struct named_series *n)
{
    uint32_t count;
    const struct slice *texts = payload_texts(n->q, "by", &count);

    for (uint32_t i = 0; i < count; i++) {
        struct slice rest = texts[i], text;

        while (rest.len > 0) { /* "pod, state" */
            text = slice_trim(slice_split(&rest, ','), PARAMS_BLANKS);
            if (text.len == 0 || slice_equal(text, SLICE("none")))
                continue;
            if (!add_key(n, text))
                return query_refuse(n->q, "by must be at most %d keys",
                                    KEYS_MAX);
        }
    }
    n->by_count = n->key_count;
    for (const struct grafana_filter *f = n->q->filters; f; f = f->next) {
        struct slice key = f->key;

        if (f->of_resources ||
            identity_key(grafana_cstr(n->q->request->arena, key)) >= 0)
            continue; /* in the resources already */
        if (!add_key(n, key))
            return query_refuse(n->q, "too many filters");
    }
    return OK;
}

/* An attribute of the point, else of its resource, else a name. */
static struct slice label_of(struct named_series *n,
                             const struct metric_group *group, uint32_t k)
{
    struct query_request *request = n->q->request;
    const struct resource_info *resource;
    const struct attr *a = &group->labels[k];
    int identity = identity_key(n->keys[k]);

    if (a->type != VALUE_STRING || a->len > 0)
        return reply_value_text(request, a);
    resource = reply_resource(request, group->resource_id);
    if (!resource)
        return (struct slice){NULL, 0};
    if (identity >= 0)
        return resource->identity.text[identity_texts[identity]];
    a = attrs_find(&resource->resource.attrs, slice_of(n->keys[k]));
    return a ? reply_value_text(request, a) : (struct slice){NULL, 0};
}

/* The key as filters have it. */
static bool label_fits(const struct named_series *n, uint32_t k,
                       struct slice text)
{
    for (const struct grafana_filter *f = n->q->filters; f; f = f->next)
        if (!f->of_resources &&
            slice_equal(query_attribute_key(f->key), slice_of(n->keys[k])) &&
            identity_key(n->keys[k]) < 0 && !filter_fits(f, text))
            return false;
    return true;
}

static enum status group_all(struct named_series *n)
{
    for (uint32_t i = 0; i < n->table.count; i++) {
        const struct metric_group *from = n->table.groups[i];
        struct named_group labels = {0}, *item;
        uint64_t key = METRIC_TOTAL_KEY;
        struct metric_group *to;
        bool fits = true;

        for (uint32_t k = 0; k < n->key_count; k++) {
            struct slice text = label_of(n, from, k);

            fits = fits && label_fits(n, k, text);
            labels.labels[k] = text;
            if (k < n->by_count)
                key = key_text(key + k, text);
        }
        if (!fits)
            continue;
        to = metric_group_with(&n->grouped, key, sizeof(*item));
        if (!to || !metric_group_add(&n->grouped, to, from))
            return arena_status(n->q->request->arena);
        item = to->item;
        *item = labels;
    }
    return OK;
}

static enum status read_series(struct named_series *n)
{
    struct arena *arena = n->q->request->arena;
    struct metric_table *tables[] = {&n->table};
    enum status s = OK;

    set_expression(n);
    metric_table_init(&n->table, arena, &n->grid, n->keys);
    metric_table_init(&n->grouped, arena, &n->grid, n->keys);
    n->table.by_resource = n->key_count > 0;
    (void)metric_table_add(&n->table, &n->leaf);
    (void)metric_table_add(&n->grouped, &n->leaf);
    if (n->grid.count > 0)
        s = read_metrics(n->q->request, n->q->sent, NULL, tables, 1);
    return s == OK ? group_all(n) : s;
}

/* ---- the frame ---- */

struct sized_group {
    double size;
    const struct metric_group *group;
};

static int by_size(const void *left, const void *right)
{
    const struct sized_group *a = left, *b = right;

    return metric_group_order(a->group, a->size, b->group, b->size);
}

/* Those that have a value, the largest first. */
static struct sized_group *sort_groups(const struct named_series *n,
                                       uint32_t *count)
{
    struct sized_group *sorted =
        arena_zero(n->q->request->arena, n->grouped.count + 1, sizeof(*sorted));

    *count = 0;
    for (uint32_t i = 0; sorted && i < n->grouped.count; i++) {
        const struct metric_group *group = n->grouped.groups[i];
        double size = 0;
        bool any = false;

        for (uint32_t cell = 0; cell < n->grid.count; cell++) {
            double v = metric_value(&n->grouped, group, shown_of(n), cell);

            any = any || !isnan(v);
            size += isnan(v) ? 0 : v;
        }
        if (any)
            sorted[(*count)++] = (struct sized_group){size, group};
    }
    if (sorted)
        qsort(sorted, *count, sizeof(*sorted), by_size);
    return sorted;
}

/* What people call an attribute (query_attribute_key()). */
static const char *people_key(const char *key)
{
    if (strcmp(key, "k8s.pod.name") == 0)
        return "pod";
    return strcmp(key, "service.version") == 0 ? "version" : key;
}

static void add_field(struct named_series *n, struct grafana_frame *frame,
                      const struct metric_group *group)
{
    struct arena *arena = n->q->request->arena;
    const struct named_group *labels = group->item;
    struct slice title = {NULL, 0};
    struct grafana_field *field =
        frame_field(frame, grafana_cstr(arena, n->name), FIELD_NUMBER);

    if (!field)
        return;
    field->unit = unit_of(n);
    for (uint32_t k = 0; k < n->by_count; k++) {
        struct slice text =
            labels->labels[k].len > 0 ? labels->labels[k] : SLICE("(none)");

        if (labels->labels[k].len > 0)
            field_label(field, people_key(n->keys[k]), text);
        title = title.len == 0
                    ? text
                    : arena_format(arena, "%.*s %.*s", SLICE_ARGS(title),
                                   SLICE_ARGS(text));
    }
    field->display_name = title.len > 0 ? title : n->name;
    for (uint32_t i = 0; i < n->grid.count; i++)
        field_number_at(field, i,
                        metric_value(&n->grouped, group, shown_of(n), i));
}

static void explain(struct named_series *n, struct grafana_frame *frame)
{
    if (!n->found && n->q->sent->count > 0)
        frame_notice(frame, NOTICE_WARNING,
                     "no series of the scope is called '%.*s' in this range; "
                     "the variable query 'series' lists the names there are",
                     SLICE_ARGS(slice_truncate(n->name, 100)));
    else if (!n->found)
        query_empty(n->q, frame, "metrics", SIGNAL_METRICS);
    else
        frame_notice(frame, NOTICE_WARNING,
                     "%.*s has points in this range, but %s of them is not "
                     "known, or no attributes fit",
                     SLICE_ARGS(n->name), functions[n->function]);
}

static void reply(struct named_series *n)
{
    struct grafana_frame *frame = query_frame(n->q, n->name);
    struct grafana_field *time = frame_field(frame, "time", FIELD_TIME);
    uint32_t limit =
        payload_number(n->q, "limit", SERIES_STANDARD, SERIES_MOST);
    uint32_t count;
    const struct sized_group *sorted = sort_groups(n, &count);

    if (!frame || !sorted)
        return;
    frame->type = "timeseries-wide";
    frame->visual = "graph";
    if (count == 0) {
        struct grafana_field *none = frame_field(frame, "value", FIELD_NUMBER);

        if (none)
            none->unit = unit_of(n);
        explain(n, frame);
        return;
    }
    frame_rows(frame, n->grid.count);
    for (uint32_t i = 0; i < n->grid.count; i++)
        field_time_at(time, i, grid_time(&n->grid, i));
    for (uint32_t i = 0; i < count && i < limit; i++)
        add_field(n, frame, sorted[i].group);
    if (count > limit)
        frame_notice(frame, NOTICE_INFO,
                     "the %u largest of %u series are shown; raise limit or "
                     "narrow the scope",
                     limit, count);
}

static enum status query_one(struct grafana_query *q, struct slice name)
{
    struct named_series n = {
        .q = q, .name = name, .grid = query_grid(q, 15 * NS_PER_S)};
    enum status s = read_function(&n);

    if (s == OK)
        s = find_kind(&n);
    if (s == OK)
        s = read_keys(&n);
    if (s != OK)
        return s;
    choose_function(&n);
    s = read_series(&n);
    if (s == OK)
        reply(&n);
    return s;
}

enum status grafana_series(struct grafana_query *q)
{
    uint32_t count;
    const struct slice *names = payload_texts(q, "name", &count);
    enum status s = OK;

    if (count == 0)
        return query_refuse(q, "name is required: that of a stored series");
    for (uint32_t i = 0; s == OK && i < count && i < NAMES_MAX; i++)
        s = query_one(q, names[i]);
    return s;
}
