/*
 * Lists of series, names and values of labels.
 */
#include "source_lists.h"

#include <stdlib.h>

#include "array.h"
#include "prom_names.h"

/* ---- walking over the series of a list ---- */

static struct selection *selection_new(struct prometheus_source *source,
                                       const struct prometheus_list *list)
{
    struct selection *s = arena_zero(source->request->arena, 1, sizeof(*s));

    if (!s)
        return NULL;
    s->source = source;
    s->start_ms = list->start_ms > 0 ? list->start_ms - 1 : 0;
    s->end_ms = list->end_ms;
    return s;
}

enum status source_run_list(struct prometheus_source *source,
                            const struct prometheus_list *list,
                            promql_visit *visit, exemplar_visit *exemplars,
                            void *arg)
{
    static const struct prometheus_selector all = {NULL, 0};
    uint32_t count = list->count > 0 ? list->count : 1;
    enum status status = OK;

    for (uint32_t i = 0; i < count && status == OK; i++) {
        const struct prometheus_selector *selector =
            list->count > 0 ? &list->selectors[i] : &all;
        struct selection *s = selection_new(source, list);

        if (!s)
            return arena_status(source->request->arena);
        s->matchers = selector->matchers;
        s->matcher_count = selector->count;
        s->visit = visit;
        s->visit_arg = arg;
        s->exemplars = exemplars;
        s->heads = !exemplars;
        status = selection_run(s);
    }
    return status;
}

/* ---- texts, each once ---- */

struct text_set {
    struct arena *arena;
    struct slice *at;
    uint32_t count, room;
    struct map index;
    struct slice label; /* whose values are collected; empty: names */
};

static void text_add(struct text_set *set, struct slice text)
{
    uint32_t hash = map_hash_slice(text);
    struct slice *slot;

    map_each(&set->index, hash, at)
        if (slice_equal(set->at[at], text))
            return;
    set->index.arena = set->arena;
    slot = arena_append(set->arena, &set->at, set->count, &set->room);
    if (!slot || !map_add(&set->index, hash, set->count))
        return;
    *slot = arena_copy(set->arena, text);
    set->count++;
}

static enum status add_texts(void *arg, const struct promql_series *series)
{
    struct text_set *set = arg;

    if (set->label.len == 0) {
        for (uint32_t i = 0; i < series->labels.count; i++)
            text_add(set, series->labels.at[i].name);
    } else {
        struct slice value = promql_label_value(&series->labels, set->label);

        if (value.len > 0)
            text_add(set, value);
    }
    return arena_status(set->arena);
}

static enum status list_texts(struct prometheus_source *source,
                              struct prometheus_list *list, struct slice label,
                              const struct slice **texts, uint32_t *count)
{
    struct text_set set = {.arena = source->request->arena, .label = label};
    enum status status = source_run_list(source, list, add_texts, NULL, &set);

    if (set.count > 1)
        qsort(set.at, set.count, sizeof(*set.at), slice_order);
    list->cut = list->limit > 0 && set.count > list->limit;
    *texts = set.at;
    *count = list->cut ? list->limit : set.count;
    return status;
}

enum status prometheus_label_names(struct prometheus_source *source,
                                   struct prometheus_list *list,
                                   const struct slice **names, uint32_t *count)
{
    return list_texts(source, list, SLICE(""), names, count);
}

enum status prometheus_label_values(struct prometheus_source *source,
                                    struct prometheus_list *list,
                                    struct slice name,
                                    const struct slice **values,
                                    uint32_t *count)
{
    return list_texts(source, list,
                      prom_label_name(name, source->request->arena), values,
                      count);
}

/* ---- series ---- */

struct series_list {
    struct arena *arena;
    struct promql_labels *at;
    uint32_t count, room;
};

static enum status add_series(void *arg, const struct promql_series *series)
{
    struct series_list *list = arg;
    struct promql_labels *slot =
        arena_append(list->arena, &list->at, list->count, &list->room);

    if (!slot)
        return arena_status(list->arena);
    *slot = promql_labels_copy(list->arena, &series->labels);
    list->count++;
    return arena_status(list->arena);
}

static int by_labels(const void *left, const void *right)
{
    return promql_labels_compare(left, right);
}

enum status prometheus_series(struct prometheus_source *source,
                              struct prometheus_list *list,
                              const struct promql_labels **series,
                              uint32_t *count)
{
    struct series_list found = {.arena = source->request->arena};
    enum status status =
        source_run_list(source, list, add_series, NULL, &found);
    uint32_t n = 0;

    if (found.count > 1)
        qsort(found.at, found.count, sizeof(*found.at), by_labels);
    for (uint32_t i = 0; i < found.count; i++)
        if (n == 0 ||
            promql_labels_compare(&found.at[n - 1], &found.at[i]) != 0)
            found.at[n++] = found.at[i];
    list->cut = list->limit > 0 && n > list->limit;
    *series = found.at;
    *count = list->cut ? list->limit : n;
    return status;
}
