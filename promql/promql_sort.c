/* sort and sort_by_label: at an instant the order of the series is part of the
 * result; over a range it is not. */
#include <math.h>
#include <stdlib.h>

#include "ascii.h"
#include "promql_eval.h"
#include "promql_handlers.h"

struct sorter {
    struct promql_eval *eval;
    const struct promql_node *call;
    bool floats_only;
    struct promql_merge merge; /* used as a list */
};

struct sort_item {
    const struct promql_kept *kept;
    const struct promql_node *call; /* of sort_by_label */
};

static enum status sorter_take(void *arg,
                               const struct promql_result_series *series)
{
    struct sorter *sorter = arg;
    struct promql_result_series floats = *series;
    struct promql_kept *kept;

    if (sorter->floats_only)
        floats.histograms = NULL;
    if (!promql_any(sorter->eval, &floats))
        return OK;
    return promql_merge_new(&sorter->merge, &floats, 0, &kept);
}

static enum status sorted(struct promql_eval *eval,
                          const struct promql_node *call, bool floats_only,
                          int (*order)(const void *, const void *),
                          promql_push *push, void *arg)
{
    struct sorter sorter = {eval, call, floats_only, {0}};
    struct sort_item *items;
    enum status s;

    promql_merge_init(&sorter.merge, eval);
    s = promql_eval_node(eval, call->u.call.args[0], sorter_take, &sorter);
    if (s != OK || sorter.merge.count == 0)
        return s;
    items =
        arena_zero(promql_eval_arena(eval), sorter.merge.count, sizeof(*items));
    if (!items)
        return promql_full(eval);
    for (uint32_t i = 0; i < sorter.merge.count; i++)
        items[i] = (struct sort_item){&sorter.merge.at[i], call};
    if (eval->steps.count == 1)
        qsort(items, sorter.merge.count, sizeof(*items), order);
    for (uint32_t i = 0; s == OK && i < sorter.merge.count; i++)
        s = promql_push_kept(eval, items[i].kept, push, arg);
    return s;
}

/* ---- by value: NaN last, either way ---- */

static int by_value(const struct sort_item *a, const struct sort_item *b,
                    int sign)
{
    double x = a->kept->values[0], y = b->kept->values[0];

    if (isnan(x) || isnan(y))
        return (isnan(x) != 0) - (isnan(y) != 0);
    if (x == y)
        return promql_labels_compare(&a->kept->labels, &b->kept->labels);
    return x < y ? -sign : sign;
}

static int ascending(const void *a, const void *b)
{
    return by_value(a, b, 1);
}

static int descending(const void *a, const void *b)
{
    return by_value(a, b, -1);
}

enum status promql_call_sort(struct promql_eval *eval,
                             const struct promql_node *call, promql_push *push,
                             void *arg)
{
    return sorted(eval, call, true, ascending, push, arg);
}

enum status promql_call_sort_desc(struct promql_eval *eval,
                                  const struct promql_node *call,
                                  promql_push *push, void *arg)
{
    return sorted(eval, call, true, descending, push, arg);
}

/* ---- by label: numbers in the texts as numbers ---- */

/* The digits, or what is none, that come first. */
static struct slice take_chunk(struct slice *rest)
{
    struct slice chunk = {rest->ptr, 0};

    while (chunk.len < rest->len &&
           is_digit(rest->ptr[chunk.len]) == is_digit(rest->ptr[0]))
        chunk.len++;
    *rest = slice_from(*rest, chunk.len);
    return chunk;
}

static int by_number(struct slice a, struct slice b)
{
    while (slice_starts(a, SLICE("0")))
        a = slice_from(a, 1);
    while (slice_starts(b, SLICE("0")))
        b = slice_from(b, 1);
    if (a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return slice_compare(a, b);
}

static int natural(struct slice a, struct slice b)
{
    while (a.len > 0 && b.len > 0) {
        bool numbers = is_digit(a.ptr[0]) && is_digit(b.ptr[0]);
        struct slice x = take_chunk(&a), y = take_chunk(&b);
        int order = numbers ? by_number(x, y) : slice_compare(x, y);

        if (order != 0)
            return order;
    }
    return (a.len > 0) - (b.len > 0);
}

static int by_label(const void *a, const void *b)
{
    const struct sort_item *x = a, *y = b;
    const struct promql_call *call = &x->call->u.call;

    for (uint32_t i = 1; i < call->arg_count; i++) {
        struct slice name = promql_string(call->args[i]);
        int order = natural(promql_label_value(&x->kept->labels, name),
                            promql_label_value(&y->kept->labels, name));

        if (order != 0)
            return order;
    }
    return promql_labels_compare(&x->kept->labels, &y->kept->labels);
}

static int by_label_down(const void *a, const void *b)
{
    return by_label(b, a);
}

enum status promql_call_sort_by_label(struct promql_eval *eval,
                                      const struct promql_node *call,
                                      promql_push *push, void *arg)
{
    return sorted(eval, call, false, by_label, push, arg);
}

enum status promql_call_sort_by_label_desc(struct promql_eval *eval,
                                           const struct promql_node *call,
                                           promql_push *push, void *arg)
{
    return sorted(eval, call, false, by_label_down, push, arg);
}
