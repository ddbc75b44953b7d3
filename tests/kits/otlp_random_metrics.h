/*
 * otlp_random_metrics - the part of otlp_random.h for metrics.
 */
#ifndef OTLP_RANDOM_METRICS_H
#define OTLP_RANDOM_METRICS_H

static inline Otlp__Exemplar *random_exemplar(void)
{
    Otlp__Exemplar *m;

    RANDOM_NEW(m, otlp__exemplar__init);
    RANDOM_SET(m, time_unix_nano, random_time());
    RANDOM_SET(m, trace_id, random_id(16));
    RANDOM_SET(m, span_id, random_id(8));
    if (one_in(2)) {
        m->value_case = OTLP__EXEMPLAR__VALUE_AS_INT;
        m->as_int = -random_int();
    } else {
        m->value_case = OTLP__EXEMPLAR__VALUE_AS_DOUBLE;
        m->as_double = random_double();
    }
    RANDOM_LIST(m->n_filtered_attributes, m->filtered_attributes, 3,
                random_pair(0));
    return m;
}

/* What all points but the exponential ones have under the same names. */
#define RANDOM_POINT(m)                                     \
    do {                                                    \
        RANDOM_SET(m, start_time_unix_nano, random_time()); \
        RANDOM_SET(m, time_unix_nano, random_time());       \
        RANDOM_SET(m, flags, test_random(3));               \
        RANDOM_ATTRS(m);                                    \
    } while (0)
#define RANDOM_EXEMPLARS(m)                       \
    RANDOM_LIST((m)->n_exemplars, (m)->exemplars, \
                one_in(99) ? 2 * POINT_MAX_EXEMPLARS : 3, random_exemplar())
#define RANDOM_TOTALS(m)                       \
    do {                                       \
        RANDOM_SET(m, count, test_random64()); \
        RANDOM_SET(m, sum, random_double());   \
    } while (0)
#define RANDOM_EXTREMES(m)                   \
    do {                                     \
        RANDOM_SET(m, min, random_double()); \
        RANDOM_SET(m, max, random_double()); \
    } while (0)

static inline uint64_t *random_counts(size_t n)
{
    uint64_t *counts = n > 0 ? random_memory(n * sizeof(*counts)) : NULL;

    for (size_t i = 0; i < n; i++)
        counts[i] = test_random64() >> test_random(64);
    return counts;
}

static inline size_t random_bucket_count(void)
{
    return one_in(30) ? test_random(3 * POINT_MAX_BUCKETS) : test_random(9);
}

static inline Otlp__NumberDataPoint *random_number(void)
{
    Otlp__NumberDataPoint *m;

    RANDOM_NEW(m, otlp__number_data_point__init);
    RANDOM_POINT(m);
    RANDOM_EXEMPLARS(m);
    if (one_in(2)) {
        m->value_case = OTLP__NUMBER_DATA_POINT__VALUE_AS_INT;
        m->as_int = one_in(2) ? random_int() : -random_int();
    } else if (!one_in(5)) {
        m->value_case = OTLP__NUMBER_DATA_POINT__VALUE_AS_DOUBLE;
        m->as_double = random_double();
    }
    return m;
}

static inline Otlp__HistogramDataPoint *random_histogram(void)
{
    Otlp__HistogramDataPoint *m;

    RANDOM_NEW(m, otlp__histogram_data_point__init);
    RANDOM_POINT(m);
    RANDOM_EXEMPLARS(m);
    RANDOM_TOTALS(m);
    RANDOM_EXTREMES(m);
    m->n_explicit_bounds = random_bucket_count();
    m->n_bucket_counts = m->n_explicit_bounds + !one_in(9);
    m->bucket_counts = random_counts(m->n_bucket_counts);
    m->explicit_bounds =
        m->n_explicit_bounds > 0
            ? random_memory(m->n_explicit_bounds * sizeof(double))
            : NULL;
    for (size_t i = 0; i < m->n_explicit_bounds; i++)
        m->explicit_bounds[i] = random_double();
    return m;
}

static inline Otlp__ExponentialHistogramDataPoint__Buckets *random_exp_buckets(
    void)
{
    Otlp__ExponentialHistogramDataPoint__Buckets *m;

    if (one_in(4))
        return NULL;
    RANDOM_NEW(m, otlp__exponential_histogram_data_point__buckets__init);
    RANDOM_SET(m, offset, (int32_t)random_u32() * (one_in(2) ? 1 : -1));
    m->n_bucket_counts = random_bucket_count();
    m->bucket_counts = random_counts(m->n_bucket_counts);
    return m;
}

static inline Otlp__ExponentialHistogramDataPoint *random_exp(void)
{
    Otlp__ExponentialHistogramDataPoint *m;

    RANDOM_NEW(m, otlp__exponential_histogram_data_point__init);
    RANDOM_POINT(m);
    RANDOM_EXEMPLARS(m);
    RANDOM_TOTALS(m);
    RANDOM_EXTREMES(m);
    RANDOM_SET(m, scale, (int32_t)test_random(70) - 35);
    RANDOM_SET(m, zero_count, test_random64());
    RANDOM_SET(m, zero_threshold, random_double());
    m->positive = random_exp_buckets();
    m->negative = random_exp_buckets();
    return m;
}

static inline Otlp__SummaryDataPoint__ValueAtQuantile *random_quantile(void)
{
    Otlp__SummaryDataPoint__ValueAtQuantile *m;

    RANDOM_NEW(m, otlp__summary_data_point__value_at_quantile__init);
    RANDOM_SET(m, quantile, random_double());
    RANDOM_SET(m, value, random_double());
    return m;
}

static inline Otlp__SummaryDataPoint *random_summary(void)
{
    Otlp__SummaryDataPoint *m;

    RANDOM_NEW(m, otlp__summary_data_point__init);
    RANDOM_POINT(m);
    RANDOM_TOTALS(m);
    RANDOM_LIST(m->n_quantile_values, m->quantile_values,
                one_in(50) ? 2 * POINT_MAX_BUCKETS : 4, random_quantile());
    return m;
}

static inline void random_data(Otlp__Metric *m)
{
    switch (test_random(6)) {
    case 0:
        m->data_case = OTLP__METRIC__DATA_GAUGE;
        RANDOM_NEW(m->gauge, otlp__gauge__init);
        RANDOM_LIST(m->gauge->n_data_points, m->gauge->data_points, 5,
                    random_number());
        break;
    case 1:
        m->data_case = OTLP__METRIC__DATA_SUM;
        RANDOM_NEW(m->sum, otlp__sum__init);
        RANDOM_LIST(m->sum->n_data_points, m->sum->data_points, 5,
                    random_number());
        RANDOM_SET(m->sum, aggregation_temporality, (int32_t)test_random(4));
        RANDOM_SET(m->sum, is_monotonic, one_in(2));
        break;
    case 2:
        m->data_case = OTLP__METRIC__DATA_HISTOGRAM;
        RANDOM_NEW(m->histogram, otlp__histogram__init);
        RANDOM_LIST(m->histogram->n_data_points, m->histogram->data_points, 5,
                    random_histogram());
        RANDOM_SET(m->histogram, aggregation_temporality,
                   (int32_t)test_random(4));
        break;
    case 3:
        m->data_case = OTLP__METRIC__DATA_EXPONENTIAL_HISTOGRAM;
        RANDOM_NEW(m->exponential_histogram, otlp__exponential_histogram__init);
        RANDOM_LIST(m->exponential_histogram->n_data_points,
                    m->exponential_histogram->data_points, 5, random_exp());
        RANDOM_SET(m->exponential_histogram, aggregation_temporality,
                   (int32_t)test_random(4));
        break;
    case 4:
        m->data_case = OTLP__METRIC__DATA_SUMMARY;
        RANDOM_NEW(m->summary, otlp__summary__init);
        RANDOM_LIST(m->summary->n_data_points, m->summary->data_points, 5,
                    random_summary());
        break;
    default:
        break;
    }
}

static inline Otlp__Metric *random_metric(void)
{
    Otlp__Metric *m;

    RANDOM_NEW(m, otlp__metric__init);
    m->name = maybe_text();
    m->description = maybe_text();
    m->unit = maybe_text();
    RANDOM_LIST(m->n_metadata, m->metadata, 2, random_pair(0));
    random_data(m);
    return m;
}

#endif
