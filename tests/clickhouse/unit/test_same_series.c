/*
 * Points in both engines: random ones of all types, sent and derived, and
 * random queries with all that a series_query has, at once and resource by
 * resource. Sent points must be equal; derived ones after the parts of a minute
 * were added up, at the coarsest scale of their buckets.
 */
#include <stdlib.h>

#include "../same_points.h"
#include "attr_hash.h"
#include "ch_read_series.h"
#include "exphist.h"

static uint32_t rounds(uint32_t many)
{
    return getenv("NIGHTLY") ? 20 * many : many;
}

/* ---- what is compared ---- */

/* A point, as far as the query promises it; of derived ones what adds up. */
struct seen {
    uint64_t series, time_ns; /* which */
    uint64_t hash;            /* of a sent point: all it has */
    uint64_t count, value, zero_count, buckets;
    double min, max, sum, exemplars[2];
};

struct seen_list {
    struct seen *at;
    uint32_t count, room;
    const struct series_query *query;
    uint64_t series; /* told of */
    uint32_t wanted; /* of 4: metrics that are wanted, then series */
};

static uint64_t mix(uint64_t hash, const void *bytes, size_t len)
{
    return hash_mix(hash, hash_bytes(bytes, len, 7));
}

static uint64_t mix_number(uint64_t hash, uint64_t number)
{
    return hash_mix(hash, number * UINT64_C(0x9e3779b97f4a7c15) + 1);
}

static uint64_t mix_double(uint64_t hash, double d)
{
    return mix(hash, &d, sizeof(d));
}

static uint64_t series_hash(const struct point *p)
{
    const struct metric *m = p->metric;
    uint64_t hash = mix(p->resource_id, m->name.ptr, m->name.len);

    hash = mix_number(hash, m->type);
    return hash_mix(hash, attrs_hash(&p->attrs));
}

/* In any order. */
static uint64_t bucket_sum(const struct exp_buckets *b, int64_t shift)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < b->count; i++)
        sum += mix_number(
                   3, (uint64_t)exphist_index(b->offset + (int64_t)i, shift)) *
               b->counts[i];
    return sum;
}

static uint64_t mix_histogram(uint64_t hash, enum metric_type type,
                              const struct histogram *h)
{
    uint32_t present = h->has_sum + 2U * h->has_min * (type != METRIC_SUMMARY) +
                       4U * h->has_max * (type != METRIC_SUMMARY);

    hash = mix_number(mix_number(hash, h->count), present);
    if (h->has_sum)
        hash = mix_double(hash, h->sum);
    if (present & 6)
        hash = mix_double(mix_double(hash, h->min), h->max);
    if (type == METRIC_EXP_HISTOGRAM) {
        hash = mix_number(mix_number(hash, (uint64_t)h->scale), h->zero_count);
        hash = mix_double(hash, h->zero_threshold);
        hash = mix_number(hash, bucket_sum(&h->positive, 0));
        return mix_number(hash, bucket_sum(&h->negative, 0));
    }
    for (uint32_t i = 0; i < h->bound_count; i++)
        hash = mix_double(hash, h->bounds[i]);
    for (uint32_t i = 0; h->counts && i <= h->bound_count; i++)
        hash = mix_number(hash, h->counts[i]);
    for (uint32_t i = 0; type == METRIC_SUMMARY && i < h->bound_count; i++)
        hash = mix_double(hash, h->values[i]);
    return hash;
}

static uint64_t mix_exemplars(uint64_t hash, const struct point *p)
{
    for (uint32_t i = 0; i < p->exemplar_count; i++) {
        const struct exemplar *e = &p->exemplars[i];

        hash = mix(mix(hash, e->trace_id, 16), e->span_id, 8);
        hash = mix_double(mix_number(hash, e->time_ns), e->value);
        hash = hash_mix(hash, attrs_hash(&e->attrs));
    }
    return mix_number(hash, p->exemplar_count);
}

static uint64_t point_hash(const struct point *p)
{
    const struct metric *m = p->metric;
    const struct scope *scope = m->scope;
    uint64_t hash = mix_number(p->flags, p->start_ns);

    hash = mix(hash, m->unit.ptr, m->unit.len);
    hash = mix(hash, m->description.ptr, m->description.len);
    hash = mix_number(hash, m->temporality + 4U * m->monotonic);
    hash = mix_number(hash, p->corrected + 256 * p->attrs.dropped);
    if (scope) {
        hash = mix(hash, scope->name.ptr, scope->name.len);
        hash = mix(hash, scope->version.ptr, scope->version.len);
        hash = mix(hash, scope->schema_url.ptr, scope->schema_url.len);
        hash = hash_mix(hash, attrs_hash(&scope->attrs));
    }
    if (m->type > METRIC_SUM)
        hash = mix_histogram(hash, (enum metric_type)m->type, p->histogram);
    else if (p->is_int)
        hash = mix_number(hash + 1, (uint64_t)p->i);
    else
        hash = mix_double(hash, p->d);
    return mix_exemplars(hash, p);
}

static struct seen *see(struct seen_list *list, uint64_t series,
                        uint64_t time_ns)
{
    struct seen *seen;

    list->at = list->count == list->room
                   ? realloc(list->at, (list->room = 2 * list->room + 64) *
                                           sizeof(*list->at))
                   : list->at;
    seen = &list->at[list->count++];
    *seen = (struct seen){.series = series, .time_ns = time_ns, .min = 1e300};
    return seen;
}

static void see_derived(struct seen_list *list, struct seen *seen,
                        const struct point *p)
{
    const struct histogram *h = p->histogram;

    CHECK_EQ(p->start_ns, p->time_ns - NS_PER_MIN);
    if (p->metric->type == METRIC_SUM) {
        CHECK(p->is_int);
        seen->value = (uint64_t)p->i;
        return;
    }
    seen->count = h->count;
    if (list->query->counts_only)
        return;
    seen->zero_count = h->zero_count;
    seen->buckets = bucket_sum(&h->positive, h->scale);
    seen->min = h->min;
    seen->max = h->max;
    seen->sum = h->sum;
    for (uint32_t i = 0; i < p->exemplar_count; i++) {
        const struct exemplar *e = &p->exemplars[i];
        double *most = &seen->exemplars[e->attrs.count > 0];

        *most = e->value > *most ? e->value : *most;
    }
}

/* Are heads of the metric enough? */
static bool only_head(const struct series_query *query,
                      const struct metric *metric)
{
    return query->heads && metric->type != METRIC_HISTOGRAM &&
           metric->type != METRIC_SUMMARY;
}

static bool is_wanted(const struct seen_list *list, uint64_t hash)
{
    return (hash >> 40 & 3) < list->wanted;
}

static bool wants_metric(void *arg, const struct metric *metric)
{
    return is_wanted(arg, mix(1, metric->name.ptr, metric->name.len));
}

static bool wants_series(void *arg, const struct point *head)
{
    struct seen_list *list = arg;

    list->series = series_hash(head);
    return is_wanted(list, attrs_hash(&head->attrs));
}

static void next_series(void *arg)
{
    (void)arg;
}

static void take(void *arg, const struct point *p)
{
    struct seen_list *list = arg;
    const struct series_query *query = list->query;
    uint64_t series = series_hash(p);
    struct point without = *p;
    struct seen *seen;

    if (query->no_exemplars) { /* they may be there */
        without.exemplar_count = 0;
        p = &without;
    }
    if (query->wants_series)
        CHECK_EQ(list->series, series);
    CHECK(p->time_ns > query->start_ns && p->time_ns <= query->end_ns);
    CHECK(bitmap_has(query->resources, p->resource_id));
    if (only_head(query, p->metric)) {
        (void)see(list, series, 0);
        return;
    }
    seen = see(list, series, p->time_ns);
    if (p->resource_id >= SAME_DERIVED)
        see_derived(list, seen, p);
    else if (query->counts_only && p->metric->type > METRIC_SUM)
        seen->count = p->histogram->count;
    else if (query->counts_only) /* perhaps without exemplars */
        seen->hash = point_hash(&(struct point){.metric = p->metric,
                                                .attrs = p->attrs,
                                                .start_ns = p->start_ns,
                                                .i = p->i,
                                                .is_int = p->is_int,
                                                .flags = p->flags});
    else
        seen->hash = point_hash(p);
}

/* Only asked for with wants_series, which told of the series. */
static void take_counts(void *arg, const struct series_counts *counts)
{
    struct seen_list *list = arg;

    for (uint32_t i = 0; i < counts->count; i++) {
        struct seen *seen = see(list, list->series, counts->times_ns[i]);

        CHECK(i == 0 || counts->times_ns[i - 1] <= counts->times_ns[i]);
        seen->count = counts->counts[i];
    }
}

static int by_point(const void *left, const void *right)
{
    const struct seen *a = left, *b = right;

    if (a->series != b->series)
        return a->series < b->series ? -1 : 1;
    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    if (a->hash != b->hash)
        return a->hash < b->hash ? -1 : 1;
    return (a->count > b->count) - (a->count < b->count);
}

static void add_up(struct seen *sum, const struct seen *part)
{
    sum->count += part->count;
    sum->value += part->value;
    sum->zero_count += part->zero_count;
    sum->buckets += part->buckets;
    sum->sum += part->sum;
    sum->min = part->min < sum->min ? part->min : sum->min;
    sum->max = part->max > sum->max ? part->max : sum->max;
    for (int i = 0; i < 2; i++)
        if (part->exemplars[i] > sum->exemplars[i])
            sum->exemplars[i] = part->exemplars[i];
}

/* Derived points of a minute become one, heads of a series too. */
static void finish(struct seen_list *list)
{
    uint32_t kept = 0;

    if (list->count > 0)
        qsort(list->at, list->count, sizeof(*list->at), by_point);
    for (uint32_t i = 0; i < list->count; i++) {
        struct seen *last = kept ? &list->at[kept - 1] : NULL;
        const struct seen *s = &list->at[i];

        if (last && last->series == s->series && last->time_ns == s->time_ns &&
            (s->hash == 0 || s->time_ns == 0))
            add_up(last, s);
        else
            list->at[kept++] = *s;
    }
    list->count = kept;
}

static bool equal(const struct seen *a, const struct seen *b)
{
    return a->series == b->series && a->time_ns == b->time_ns &&
           a->hash == b->hash && a->count == b->count && a->value == b->value &&
           a->zero_count == b->zero_count && a->buckets == b->buckets &&
           fabs(a->sum - b->sum) < 1e-6 && memcmp(&a->min, &b->min, 8) == 0 &&
           memcmp(&a->max, &b->max, 8) == 0 &&
           memcmp(a->exemplars, b->exemplars, sizeof(a->exemplars)) == 0;
}

static bool compare(struct seen_list *embedded, struct seen_list *ch)
{
    finish(embedded);
    finish(ch);
    if (!CHECK_EQ(ch->count, embedded->count))
        return false;
    for (uint32_t i = 0; i < ch->count; i++)
        if (!CHECK(equal(&ch->at[i], &embedded->at[i])))
            return false;
    return true;
}

/* ---- queries ---- */

static void random_resources(struct bitmap *set)
{
    uint32_t share = test_random(4);

    for (uint32_t i = 0; i < SAME_RESOURCES; i++)
        if (share == 0 ? test_random(30) == 0 : test_random(4) < share + 1)
            bitmap_add(set, i);
    for (uint32_t i = 0; i < SAME_IDENTITIES; i++)
        if (share == 0 ? test_random(15) == 0 : test_random(4) < share + 1)
            bitmap_add(set, SAME_DERIVED + i);
}

static void random_names(struct series_query *q, struct slice names[6])
{
    uint32_t kind = test_random(4);

    for (uint32_t i = 0; kind > 0 && i < 1 + test_random(5); i++)
        names[q->name_count++] = kind == 1 || (kind == 3 && i % 2)
                                     ? metrics[test_random(METRICS)].name
                                     : derived[test_random(DERIVED)].name;
    q->names = names;
}

static void random_query(struct series_query *q, struct slice names[6],
                         struct bitmap *resources, uint32_t *wanted)
{
    *q = (struct series_query){
        .start_ns = test_random(4) ? BASE + test_random(MINUTES) * NS_PER_MIN -
                                         test_random(2)
                                   : 0,
        .end_ns = UINT64_MAX,
        .resources = resources,
        .sent = test_random(4) == 0};
    if (test_random(3))
        q->end_ns = BASE + test_random(MINUTES) * NS_PER_MIN + test_random(2);
    random_resources(resources);
    random_names(q, names);
    q->wants_metric = test_random(3) ? NULL : wants_metric;
    q->wants_series = test_random(2) ? NULL : wants_series;
    q->series = test_random(2) ? next_series : NULL;
    q->counts_only = test_random(4) == 0;
    q->no_exemplars = test_random(3) == 0;
    if (q->counts_only && q->wants_series)
        q->counts = take_counts;
    *wanted = test_random(5);
}

static enum status read_plan(struct same *same, const struct series_query *q,
                             struct arena *arena, struct seen_list *list)
{
    struct series_plan *plan = NULL;
    enum status s = ch_plan_series(&same->ch, NULL, q, arena, &plan);
    uint32_t id;

    for (uint64_t from = 0;
         s == OK && (id = ch_plan_next(plan, from)) != RESOURCE_NONE;
         from = (uint64_t)id + 1) {
        CHECK(id >= from && bitmap_has(q->resources, id));
        s = ch_read_planned(&same->ch, plan, id, take, list);
    }
    return s;
}

static bool ask(struct same *same, const struct series_query *q,
                uint32_t wanted)
{
    struct seen_list embedded = {.query = q, .wanted = wanted};
    struct seen_list ch = embedded, planned = embedded;
    struct series_query whole = *q;
    struct arena arena;

    arena_init(&arena, NULL, SIZE_MAX);
    same_begin(same);
    /* A head may be of points outside of the time (series_read.c). */
    whole.heads = false;
    embedded.query = q;
    CHECK_EQ(reader_query_series(same->reader, &whole, take, &embedded), OK);
    same_end(same);
    if (!CHECK_EQ(ch_query_series(&same->ch, q, take, &ch), OK))
        printf("# %s\n", same->ch.error.text);
    CHECK_EQ(read_plan(same, q, &arena, &planned), OK);
    bool good = compare(&embedded, &ch) && compare(&embedded, &planned);
    free(embedded.at);
    free(ch.at);
    free(planned.at);
    arena_release(&arena);
    return good;
}

static void show(const struct series_query *q, uint32_t wanted)
{
    printf("# start %llu end %llu sent %d heads %d counts_only %d "
           "counts %d no_exemplars %d wanted %u metric %d series %d "
           "resources %u\n",
           (unsigned long long)q->start_ns, (unsigned long long)q->end_ns,
           q->sent, q->heads, q->counts_only, q->counts != NULL,
           q->no_exemplars, wanted, q->wants_metric != NULL,
           q->wants_series != NULL, q->resources->count);
    for (uint32_t i = 0; i < q->name_count; i++)
        printf("#   %.*s\n", SLICE_ARGS(q->names[i]));
}

TEST(random_queries_of_series)
{
    struct same *same = open_with_points();
    struct slice names[6];
    struct arena arena;
    bool good = same;

    arena_init(&arena, NULL, SIZE_MAX);
    for (uint32_t i = 0; good && i < rounds(12); i++) {
        struct series_query q;
        uint32_t wanted;

        arena_reset(&arena);
        random_query(&q, names,
                     bitmap_new(&arena, SAME_DERIVED + SAME_IDENTITIES),
                     &wanted);
        q.heads = !q.counts_only && test_random(4) == 0;
        good = ask(same, &q, wanted);
        if (!good)
            show(&q, wanted);
    }
    arena_release(&arena);
    arena_release(&texts);
    same_close(same);
}
