/*
 * Exemplars of the series of a list.
 */
#include <stdlib.h>

#include "array.h"
#include "clock.h"
#include "hex.h"
#include "source_lists.h"

struct exemplar_list {
    struct arena *arena;
    const struct prometheus_list *list;
    struct found_exemplars {
        struct promql_labels series;
        struct prometheus_exemplar *at;
        uint32_t count, room;
    } * at;
    uint32_t count, room;
    struct map index;
};

static struct slice id_text(const uint8_t *id, size_t len, struct arena *arena)
{
    return id_is_zero(id, len) ? SLICE("") : hex_text(arena, id, len);
}

static struct promql_labels exemplar_labels(struct selection *s,
                                            const struct exemplar *exemplar,
                                            struct arena *arena)
{
    struct label_set *set = &s->output;
    struct promql_labels labels;

    set->count = 0;
    labels_put_attrs(set, &exemplar->attrs, arena);
    labels_put(set, SLICE("trace_id"), id_text(exemplar->trace_id, 16, arena),
               LABEL_REPLACE, arena);
    labels_put(set, SLICE("span_id"), id_text(exemplar->span_id, 8, arena),
               LABEL_REPLACE, arena);
    labels = labels_of(set);
    return promql_labels_copy(arena, &labels);
}

/* That of the first name by which the series was asked for. */
static struct found_exemplars *find_series(struct selection *s,
                                           struct exemplar_list *list,
                                           const struct raw *raw)
{
    struct label_set *set = &s->output;
    struct found_exemplars *found;
    struct promql_labels labels;
    uint32_t hash;

    memcpy(set->at, raw->labels.at, raw->labels.count * sizeof(*set->at));
    set->count = raw->labels.count;
    labels_put(set, SLICE("__name__"), raw->view->outputs[0].name,
               LABEL_REPLACE, NULL);
    labels = labels_of(set);
    hash = map_hash(promql_labels_hash(&labels));
    map_each(&list->index, hash, at)
        if (promql_labels_equal(&list->at[at].series, &labels))
            return &list->at[at];
    list->index.arena = list->arena;
    found = arena_append(list->arena, &list->at, list->count, &list->room);
    if (!found || !map_add(&list->index, hash, list->count))
        return NULL;
    list->count++;
    *found = (struct found_exemplars){
        .series = promql_labels_copy(list->arena, &labels)};
    return found;
}

static void add_exemplars(struct selection *s, const struct raw *raw,
                          const struct point *point)
{
    struct exemplar_list *list = s->visit_arg;
    struct found_exemplars *found = find_series(s, list, raw);

    for (uint32_t i = 0; found && i < point->exemplar_count; i++) {
        const struct exemplar *from = &point->exemplars[i];
        int64_t time_ms = (int64_t)(from->time_ns / NS_PER_MS);
        struct prometheus_exemplar *to;

        if (time_ms < list->list->start_ms || time_ms > list->list->end_ms)
            continue;
        to = arena_append(list->arena, &found->at, found->count, &found->room);
        if (!to)
            return;
        found->count++;
        *to = (struct prometheus_exemplar){
            .labels = exemplar_labels(s, from, list->arena),
            .value = from->value,
            .time_ms = time_ms};
    }
}

static enum status no_series(void *arg, const struct promql_series *series)
{
    (void)arg;
    (void)series;
    return OK;
}

static int by_time(const void *left, const void *right)
{
    const struct prometheus_exemplar *a = left, *b = right;

    return a->time_ms < b->time_ms ? -1 : a->time_ms > b->time_ms;
}

/* A point has exemplars of the time before it: since the point that was sent
 * before, some minutes at most. */
enum { POINT_AFTER_MS = 5 * 60 * 1000 };

enum status prometheus_exemplars(struct prometheus_source *source,
                                 struct prometheus_list *list,
                                 const struct prometheus_exemplars **series,
                                 uint32_t *count)
{
    struct exemplar_list found = {.arena = source->request->arena,
                                  .list = list};
    struct prometheus_list points = *list;
    points.end_ms += POINT_AFTER_MS;
    enum status status =
        source_run_list(source, &points, no_series, add_exemplars, &found);
    struct prometheus_exemplars *out =
        arena_zero(found.arena, found.count + 1, sizeof(*out));

    *count = 0;
    for (uint32_t i = 0; out && i < found.count; i++) {
        struct found_exemplars *one = &found.at[i];

        if (one->count == 0)
            continue;
        qsort(one->at, one->count, sizeof(*one->at), by_time);
        out[(*count)++] =
            (struct prometheus_exemplars){one->series, one->at, one->count};
    }
    list->cut = list->limit > 0 && *count > list->limit;
    if (list->cut)
        *count = list->limit;
    *series = out;
    return status;
}
