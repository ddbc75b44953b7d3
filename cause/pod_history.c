/*
 * A roll-out replaces all pods of a component, so the new ones are compared
 * with those that were there before. Pods of one component do the same work,
 * and their differences are part of the history: of several pods all points are
 * borrowed, one pod after the other, so that a run of points is of one pod.
 *
 * A label set of failures that nobody counted before did not exist because
 * nothing failed: its history is zero.
 */
#include "pod_history.h"

#include <stdlib.h>

#include "attr_hash.h"
#include "clock.h"
#include "hash.h"

enum {
    MAX_LENDERS = 4,          /* pods that lend their history to another */
    MAX_BORROWED = 160 << 10, /* points of all series of a query */
    MIN_BORROWED = 32,        /* of one series, if many borrow */
    /* Caches are cold and code is not yet compiled when a process starts. */
    WARM_UP_MIN_S = 60,
    WARM_UP_MAX_S = 120,
};

/* ---- labels ---- */

/* Of exporters and agents that tell the pod by a label of each point. */
static const char *const pod_labels[] = {"pod",
                                         "pod_name",
                                         "pod_uid",
                                         "k8s.pod.name",
                                         "k8s.pod.uid",
                                         "k8s_pod_name",
                                         "k8s_pod_uid",
                                         "kubernetes_pod_name",
                                         "exported_pod",
                                         "instance",
                                         "exported_instance",
                                         "service.instance.id",
                                         "service_instance_id",
                                         "container_id",
                                         "container.id",
                                         "pod-template-hash",
                                         "pod_template_hash",
                                         "rollouts_pod_template_hash",
                                         "version",
                                         "app_version",
                                         "service.version",
                                         "service_version",
                                         "image",
                                         "container_image",
                                         "container.image.tag"};

static bool tells_pod(struct slice key)
{
    for (size_t i = 0; i < sizeof(pod_labels) / sizeof(*pod_labels); i++)
        if (slice_equal(key, slice_of(pod_labels[i])))
            return true;
    return false;
}

struct label_hashes label_hashes_of(const struct attrs *attrs)
{
    struct label_hashes hashes = {0, 0};

    for (uint32_t i = 0; i < attrs->count; i++) {
        struct slice key = attr_key(&attrs->at[i]);
        uint64_t hash = hash_mix(hash_bytes(key.ptr, key.len, 5),
                                 attr_value_hash(&attrs->at[i]));

        /* Sums: labels are a set. */
        *(tells_pod(key) ? &hashes.pod : &hashes.other) += hash;
    }
    return hashes;
}

/* ---- who lends to whom ---- */

static uint64_t first_ns(const struct timeseries *t)
{
    return t->count > 0 ? t->at[0].time_ns : UINT64_MAX;
}

/* Has it less than half of the history that others have? */
static bool is_new(const struct timeseries *t, uint64_t oldest_ns,
                   uint64_t end_ns)
{
    return t->before < 3 || first_ns(t) > oldest_ns + (end_ns - oldest_ns) / 2;
}

static int by_family(const void *left, const void *right)
{
    const struct timeseries *a = *(struct timeseries *const *)left;
    const struct timeseries *b = *(struct timeseries *const *)right;

    if (a->component != b->component)
        return a->component < b->component ? -1 : 1;
    if (a->family != b->family)
        return a->family < b->family ? -1 : 1;
    return (a > b) - (a < b); /* as they are sorted */
}

/* One metric of all pods of a component. */
struct pod_family {
    struct timeseries **at;
    uint32_t count, lender_count;
    struct timeseries *lenders[MAX_LENDERS]; /* of equal distance */
    uint64_t oldest_ns;
};

static void find_lenders(struct pod_family *f, uint64_t end_ns)
{
    uint32_t all = 0, n = 0;

    for (uint32_t i = 0; i < f->count; i++)
        all += !is_new(f->at[i], f->oldest_ns, end_ns);
    f->lender_count = 0;
    for (uint32_t i = 0; i < f->count && f->lender_count < MAX_LENDERS; i++) {
        if (is_new(f->at[i], f->oldest_ns, end_ns))
            continue;
        if (all <= MAX_LENDERS || n * MAX_LENDERS / all == f->lender_count)
            f->lenders[f->lender_count++] = f->at[i];
        n++;
    }
}

/* ---- borrowing ---- */

struct borrowing {
    struct timeseries_list *list;
    uint64_t history_end_ns, window_end_ns;
    uint32_t most; /* points that one series may borrow */
};

/* Puts room for `borrowed` points before those of a series. */
static bool make_room(const struct borrowing *b, struct timeseries *t,
                      uint32_t borrowed)
{
    struct timeseries_point *at =
        arena_alloc(b->list->arena, (borrowed + t->count + 1) * sizeof(*at));

    if (!at)
        return false;
    if (t->count > 0)
        memcpy(at + borrowed, t->at, t->count * sizeof(*at));
    t->at = at;
    t->count += borrowed;
    t->before = borrowed;
    return true;
}

/* The first minutes of a process. */
static struct cause_window warm_up_of(const struct borrowing *b, uint64_t born)
{
    uint64_t third =
        b->window_end_ns > born ? (b->window_end_ns - born) / 3 : 0;
    if (third < WARM_UP_MIN_S * NS_PER_S)
        third = WARM_UP_MIN_S * NS_PER_S;
    if (third > WARM_UP_MAX_S * NS_PER_S)
        third = WARM_UP_MAX_S * NS_PER_S;
    return (struct cause_window){born, born + third};
}

static bool borrow(const struct borrowing *b, const struct pod_family *f,
                   struct timeseries *t)
{
    uint32_t each = b->most / f->lender_count, n = 0;
    struct cause_window warm_up = warm_up_of(b, first_ns(t));

    for (uint32_t i = 0; i < f->lender_count; i++)
        n += f->lenders[i]->before < each ? f->lenders[i]->before : each;
    if (!make_room(b, t, n))
        return false;
    n = 0;
    for (uint32_t i = 0; i < f->lender_count; i++) {
        const struct timeseries *from = f->lenders[i];
        uint32_t take = from->before < each ? from->before : each;

        memcpy(&t->at[n], &from->at[from->before - take],
               take * sizeof(*t->at)); /* the latest */
        n += take;
    }
    t->is_new_pod = true;
    t->warm_up = warm_up;
    return true;
}

/* Zeros at the times of another series. */
static bool borrow_zeros(const struct borrowing *b, struct timeseries *t,
                         const struct timeseries *clock)
{
    uint32_t n = clock->before < b->most ? clock->before : b->most;

    if (!make_room(b, t, n))
        return false;
    for (uint32_t i = 0; i < n; i++)
        t->at[i] = (struct timeseries_point){
            .time_ns = clock->at[clock->before - n + i].time_ns};
    return true;
}

/* clock: a series that the component has had all the time; or NULL. */
static bool borrow_in_family(const struct borrowing *b, struct pod_family *f,
                             const struct timeseries *clock)
{
    bool from_zero = clock && timeseries_is_occasional(f->at[0]);

    f->oldest_ns = from_zero ? first_ns(clock) : UINT64_MAX;
    for (uint32_t i = 0; i < f->count; i++)
        if (f->at[i]->before >= 3 && first_ns(f->at[i]) < f->oldest_ns)
            f->oldest_ns = first_ns(f->at[i]);
    if (f->oldest_ns == UINT64_MAX)
        return true;
    find_lenders(f, b->history_end_ns);
    /* Others may have been restarted often, long ago. */
    from_zero =
        from_zero && (f->lender_count == 0 || f->at[0]->class == CLASS_RESTART);
    for (uint32_t i = 0; i < f->count; i++) {
        struct timeseries *t = f->at[i];
        bool lent = true;

        if (t->count == 0 || !is_new(t, f->oldest_ns, b->history_end_ns))
            continue;
        if (from_zero)
            lent = borrow_zeros(b, t, clock);
        else if (f->lender_count > 0)
            lent = borrow(b, f, t);
        if (!lent)
            return false;
    }
    return true;
}

/* How many series may need one, at most. */
static uint32_t count_new(const struct timeseries_list *list, uint64_t end_ns)
{
    uint64_t oldest = end_ns;
    uint32_t n = 0;

    for (uint32_t i = 0; i < list->count; i++)
        if (first_ns(&list->at[i]) < oldest)
            oldest = first_ns(&list->at[i]);
    for (uint32_t i = 0; i < list->count; i++)
        n += is_new(&list->at[i], oldest, end_ns);
    return n;
}

/* The series of a component that has most points before; NULL: none has
 * enough. */
static const struct timeseries *find_clock(struct timeseries *const *at,
                                           uint32_t count)
{
    const struct timeseries *clock = NULL;

    for (uint32_t i = 0; i < count; i++)
        if (at[i]->before >= 3 && (!clock || at[i]->before > clock->before))
            clock = at[i];
    return clock;
}

/* Pods that keep their name and resource. `at`: as they are sorted, all that
 * one resource sends. */
static void find_restarts(const struct borrowing *b, struct timeseries *at,
                          uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; at[i].restarted_ns > 0 && k < count; k++)
            if (at[k].pod == at[i].pod && !at[k].is_new_pod)
                at[k].warm_up = warm_up_of(b, at[i].restarted_ns);
}

static bool borrow_in_component(const struct borrowing *b,
                                struct timeseries **at, uint32_t count)
{
    const struct timeseries *clock = find_clock(at, count);

    for (uint32_t i = 0, end; i < count; i = end) {
        end = i;
        while (end < count && at[end]->family == at[i]->family)
            end++;
        struct pod_family f = {.at = at + i, .count = end - i};
        if (!borrow_in_family(b, &f, clock))
            return false;
    }
    return true;
}

bool pod_history_borrow(struct timeseries_list *list,
                        const struct rca_times *times)
{
    struct borrowing b = {.list = list,
                          .history_end_ns = times->period[BASELINE].end_ns,
                          .window_end_ns = times->period[WINDOW].end_ns};
    uint32_t needy = count_new(list, b.history_end_ns);
    struct timeseries **at = arena_alloc(
        list->arena, (list->count + 1) * sizeof(struct timeseries *));

    if (!at)
        return false;
    b.most = MAX_BORROWED / (needy + 1);
    if (b.most < MIN_BORROWED)
        b.most = MIN_BORROWED;
    for (uint32_t i = 0; i < list->count; i++)
        at[i] = &list->at[i];
    qsort(at, list->count, sizeof(struct timeseries *), by_family);
    for (uint32_t i = 0, end; i < list->count; i = end) {
        end = i;
        while (end < list->count && at[end]->component == at[i]->component)
            end++;
        if (!borrow_in_component(&b, at + i, end - i))
            return false;
    }
    for (uint32_t i = 0, end; i < list->count; i = end) {
        end = i;
        while (end < list->count &&
               list->at[end].component == list->at[i].component &&
               list->at[end].resource == list->at[i].resource)
            end++;
        find_restarts(&b, &list->at[i], end - i);
    }
    return true;
}
