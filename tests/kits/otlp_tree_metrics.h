/*
 * otlp_tree_metrics - the part of otlp_tree.h for metrics. Exponential
 * histograms beyond the bound are compared by the sum of their buckets.
 */
#ifndef OTLP_TREE_METRICS_H
#define OTLP_TREE_METRICS_H

static inline void tree_exemplars(struct tree_check *c, const struct point *got,
                                  size_t n, Otlp__Exemplar **want)
{
    size_t count = n > POINT_MAX_EXEMPLARS ? POINT_MAX_EXEMPLARS : n;

    SAME_OR_RETURN(got->exemplar_count == count);
    for (size_t i = 0; i < count; i++) {
        const struct exemplar *mine = &got->exemplars[i];
        double value = 0;

        if (want[i]->value_case == OTLP__EXEMPLAR__VALUE_AS_INT)
            value = (double)want[i]->as_int;
        else if (want[i]->value_case == OTLP__EXEMPLAR__VALUE_AS_DOUBLE)
            value = want[i]->as_double;
        SAME(mine->time_ns == want[i]->time_unix_nano);
        SAME(tree_id(mine->trace_id, 16, want[i]->trace_id));
        SAME(tree_id(mine->span_id, 8, want[i]->span_id));
        SAME(tree_double(mine->value, value));
        tree_attrs(c, &mine->attrs, want[i]->n_filtered_attributes,
                   want[i]->filtered_attributes, 0);
    }
}

/* The record for the next point, or NULL. */
static inline const struct point *tree_point(struct tree_check *c,
                                             uint64_t start, uint64_t time,
                                             uint32_t flags)
{
    const struct point *got = &c->batch->points[c->at];
    bool good = tree_time_good(c, time);

    SAME(c->at < c->batch->count);
    if (c->wrong)
        return NULL;
    c->at++;
    if (!good)
        time = c->batch->received_ns;
    SAME(got->time_ns == time);
    SAME(got->start_ns == (start > time ? 0 : start));
    SAME(got->corrected == (good && start <= time ? 0 : CORRECTED_TIME));
    SAME(got->flags == flags);
    SAME(got->resource_id == RESOURCE_NONE);
    return got;
}

static inline void tree_numbers(struct tree_check *c, size_t n,
                                Otlp__NumberDataPoint **want)
{
    for (size_t i = 0; i < n && !c->wrong; i++) {
        const Otlp__NumberDataPoint *w = want[i];
        const struct point *got =
            tree_point(c, w->start_time_unix_nano, w->time_unix_nano, w->flags);

        if (!got)
            return;
        if (w->value_case == OTLP__NUMBER_DATA_POINT__VALUE_AS_INT)
            SAME(got->is_int && got->i == w->as_int);
        else
            SAME(!got->is_int &&
                 tree_double(got->d,
                             w->value_case ==
                                     OTLP__NUMBER_DATA_POINT__VALUE_AS_DOUBLE
                                 ? w->as_double
                                 : 0));
        tree_attrs(c, &got->attrs, w->n_attributes, w->attributes, 0);
        tree_exemplars(c, got, w->n_exemplars, w->exemplars);
    }
}

static inline void tree_totals(struct tree_check *c, const struct histogram *h,
                               uint64_t count, bool has_sum, double sum)
{
    SAME(h->count == count);
    SAME(h->has_sum == has_sum && tree_double(h->sum, sum));
}

static inline void tree_extremes(struct tree_check *c,
                                 const struct histogram *h, bool has_min,
                                 double min, bool has_max, double max)
{
    SAME(h->has_min == has_min && tree_double(h->min, min));
    SAME(h->has_max == has_max && tree_double(h->max, max));
}

static inline void tree_histogram(struct tree_check *c,
                                  const Otlp__HistogramDataPoint *w)
{
    const struct point *got;
    const struct histogram *h;
    size_t counts = w->n_bucket_counts, bounds = w->n_explicit_bounds;
    uint64_t tail = 0;

    if (!(counts == bounds + 1 || (counts == 0 && bounds == 0))) {
        c->rejected++;
        return;
    }
    got = tree_point(c, w->start_time_unix_nano, w->time_unix_nano, w->flags);
    if (!got)
        return;
    h = got->histogram;
    tree_totals(c, h, w->count, w->has_sum, w->sum);
    tree_extremes(c, h, w->has_min, w->min, w->has_max, w->max);
    if (bounds > POINT_MAX_BUCKETS - 1)
        bounds = POINT_MAX_BUCKETS - 1;
    SAME_OR_RETURN(h->bound_count == bounds);
    SAME_OR_RETURN((h->counts != NULL) == (counts > 0));
    for (size_t i = 0; i < bounds; i++) {
        SAME(tree_double(h->bounds[i], w->explicit_bounds[i]));
        SAME(h->counts[i] == w->bucket_counts[i]);
    }
    for (size_t i = bounds; i < counts; i++)
        tail += w->bucket_counts[i];
    if (counts > 0)
        SAME(h->counts[bounds] == tail);
    tree_attrs(c, &got->attrs, w->n_attributes, w->attributes, 0);
    tree_exemplars(c, got, w->n_exemplars, w->exemplars);
}

static inline void tree_buckets(
    struct tree_check *c, const struct exp_buckets *got, int shift,
    const Otlp__ExponentialHistogramDataPoint__Buckets *want)
{
    size_t count = want ? want->n_bucket_counts : 0;
    int64_t offset = want ? want->offset : 0;
    uint64_t all = 0;

    SAME(got->offset == offset >> shift);
    SAME_OR_RETURN(got->count <= POINT_MAX_BUCKETS);
    if (shift == 0) {
        SAME_OR_RETURN(got->count == count);
        for (size_t i = 0; i < count; i++)
            SAME(got->counts[i] == want->bucket_counts[i]);
        return;
    }
    for (size_t i = 0; i < count; i++)
        all += want->bucket_counts[i];
    for (uint32_t i = 0; i < got->count; i++)
        all -= got->counts[i];
    SAME(all == 0);
}

static inline bool tree_out_of_range(
    const Otlp__ExponentialHistogramDataPoint__Buckets *b)
{
    return b && b->offset + (int64_t)b->n_bucket_counts > INT32_MAX;
}

static inline void tree_exp(struct tree_check *c,
                            const Otlp__ExponentialHistogramDataPoint *w)
{
    const struct point *got;
    const struct histogram *h;

    if (tree_out_of_range(w->positive) || tree_out_of_range(w->negative) ||
        w->scale < -32 || w->scale > 32) {
        c->rejected++;
        return;
    }
    got = tree_point(c, w->start_time_unix_nano, w->time_unix_nano, w->flags);
    if (!got)
        return;
    h = got->histogram;
    tree_totals(c, h, w->count, w->has_sum, w->sum);
    tree_extremes(c, h, w->has_min, w->min, w->has_max, w->max);
    SAME_OR_RETURN(h->scale <= w->scale && h->scale >= w->scale - 32);
    SAME(h->zero_count == w->zero_count);
    SAME(tree_double(h->zero_threshold, w->zero_threshold));
    tree_buckets(c, &h->positive, w->scale - h->scale, w->positive);
    tree_buckets(c, &h->negative, w->scale - h->scale, w->negative);
    tree_attrs(c, &got->attrs, w->n_attributes, w->attributes, 0);
    tree_exemplars(c, got, w->n_exemplars, w->exemplars);
}

static inline void tree_summary(struct tree_check *c,
                                const Otlp__SummaryDataPoint *w)
{
    const struct point *got =
        tree_point(c, w->start_time_unix_nano, w->time_unix_nano, w->flags);
    size_t count = w->n_quantile_values;

    if (!got)
        return;
    if (count > POINT_MAX_BUCKETS)
        count = POINT_MAX_BUCKETS;
    tree_totals(c, got->histogram, w->count, w->has_sum, w->sum);
    SAME_OR_RETURN(got->histogram->bound_count == count);
    for (size_t i = 0; i < count; i++) {
        SAME(tree_double(got->histogram->bounds[i],
                         w->quantile_values[i]->quantile));
        SAME(tree_double(got->histogram->values[i],
                         w->quantile_values[i]->value));
    }
    tree_attrs(c, &got->attrs, w->n_attributes, w->attributes, 0);
}

static inline void tree_metric(struct tree_check *c, const Otlp__Metric *want,
                               const Otlp__ScopeMetrics *parent)
{
    uint32_t first = c->at;
    int32_t temporality = 0;
    bool monotonic = false;

    switch (want->data_case) {
    case OTLP__METRIC__DATA_GAUGE:
        tree_numbers(c, want->gauge->n_data_points, want->gauge->data_points);
        break;
    case OTLP__METRIC__DATA_SUM:
        temporality = want->sum->aggregation_temporality;
        monotonic = want->sum->is_monotonic;
        tree_numbers(c, want->sum->n_data_points, want->sum->data_points);
        break;
    case OTLP__METRIC__DATA_HISTOGRAM:
        temporality = want->histogram->aggregation_temporality;
        for (size_t i = 0; i < want->histogram->n_data_points; i++)
            tree_histogram(c, want->histogram->data_points[i]);
        break;
    case OTLP__METRIC__DATA_EXPONENTIAL_HISTOGRAM:
        temporality = want->exponential_histogram->aggregation_temporality;
        for (size_t i = 0; i < want->exponential_histogram->n_data_points; i++)
            tree_exp(c, want->exponential_histogram->data_points[i]);
        break;
    case OTLP__METRIC__DATA_SUMMARY:
        for (size_t i = 0; i < want->summary->n_data_points; i++)
            tree_summary(c, want->summary->data_points[i]);
        break;
    default:
        break;
    }
    for (uint32_t i = first; i < c->at; i++) {
        const struct metric *m = c->batch->points[i].metric;

        SAME(tree_text(m->name, want->name));
        SAME(tree_text(m->description, want->description));
        SAME(tree_text(m->unit, want->unit));
        SAME(m->temporality ==
             (temporality >= 0 && temporality <= 2 ? temporality : 0));
        SAME(m->monotonic == monotonic);
        SAME(m->resource == c->resource);
        tree_scope(c, m->scope, parent->scope, parent->schema_url);
    }
}

static inline void tree_metrics(struct tree_check *c,
                                const Otlp__MetricsData *want)
{
    for (size_t r = 0; r < want->n_resource_metrics; r++) {
        const Otlp__ResourceMetrics *rm = want->resource_metrics[r];

        tree_resource(c, rm->resource, rm->schema_url);
        for (size_t s = 0; s < rm->n_scope_metrics; s++)
            for (size_t i = 0; i < rm->scope_metrics[s]->n_metrics; i++)
                tree_metric(c, rm->scope_metrics[s]->metrics[i],
                            rm->scope_metrics[s]);
    }
}

#endif
