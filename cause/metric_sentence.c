/*
 * The name of a metric alone says little at night: what it measures comes
 * first, where its class and unit say so, and its name after that.
 */
#include "metric_sentence.h"

#include <math.h>

#include "evidence.h"

static const char *const gc_words[] = {"gc", "garbage", NULL};
static const char *const load_words[] = {"load", NULL};
/* Of disks: what is full, not what is moved. */
static const char *const usage_words[] = {"usage", "used",        "util",
                                          "full",  "working_set", NULL};

/* NULL: it has none, and its name has to do. */
static const char *title_of(const struct timeseries *t,
                            const struct value_scale *scale)
{
    bool usage =
        scale->quantity == QUANTITY_BYTES || scale->quantity == QUANTITY_RATIO;

    if (t->limit)
        return t->limit->title;
    if (t->less_is_worse || scale->is_rate)
        return NULL;
    switch (t->class) {
    case CLASS_CPU:
        if (quantity_name_has(t->name, load_words))
            return NULL;
        if (quantity_name_has(t->name, quantity_throttled))
            return scale->quantity == QUANTITY_RATIO ? "time throttled" : NULL;
        return usage || scale->quantity == QUANTITY_CORES ? "CPU" : NULL;
    case CLASS_MEMORY:
        return usage && !quantity_name_has(t->name, gc_words) ? "memory" : NULL;
    case CLASS_DISK:
        return usage && quantity_name_has(t->name, usage_words) ? "disk" : NULL;
    case CLASS_RESTART:
        return "restarts";
    default:
        return NULL;
    }
}

/* "logs "card declined" 12 times a minute, 0.3 times before" */
static struct slice describe_lines(struct arena *arena,
                                   const struct timeseries *t, double before,
                                   double now)
{
    struct slice a = number_text(arena, before, 2);
    struct slice b = number_text(arena, now, 2);

    return arena_format(arena,
                        "logs \"%.*s\" %.*s time%s a minute, %.*s before",
                        SLICE_ARGS(t->name), SLICE_ARGS(b),
                        slice_equal(b, SLICE("1")) ? "" : "s", SLICE_ARGS(a));
}

/* The name as it was sent: that of a share of failures has a text before it. */
static struct slice sent_name(const struct timeseries *t)
{
    struct slice before = SLICE("failures in ");

    return slice_starts(t->name, before) ? slice_from(t->name, before.len)
                                         : t->name;
}

/* As a caller sees it: "calls from front take 245 ms, 40 ms before (name)",
 * "7% of calls from front fail, 0.1% before (name)". */
static struct slice describe_calls(struct arena *arena,
                                   const struct timeseries *t,
                                   const struct value_scale *scale,
                                   double before, double now)
{
    struct slice a = quantity_text(arena, scale, before), name = sent_name(t);
    struct slice b = quantity_text(arena, scale, now), change;
    bool is_share = t->class == CLASS_ERRORS && t->is_share &&
                    scale->quantity == QUANTITY_RATIO;
    bool is_own = t->waits == WAITS_AT_CALLER;
    struct slice other = is_own ? t->callee_name : t->caller_name;
    const char *calls = is_own ? "its calls to" : "calls from";

    if (is_share && !slice_equal(a, b))
        return arena_format(arena, "%.*s of %s %.*s fail, %.*s before (%.*s)",
                            SLICE_ARGS(b), calls, SLICE_ARGS(other),
                            SLICE_ARGS(a), SLICE_ARGS(name));
    if (!slice_equal(a, b) && t->class == CLASS_LATENCY &&
        scale->quantity == QUANTITY_TIME)
        return arena_format(
            arena, "%s %.*s take %.*s, %.*s before%s (%.*s)", calls,
            SLICE_ARGS(other), SLICE_ARGS(b), SLICE_ARGS(a),
            t->waits == WAITS_BETWEEN ? ", though it answers as usual" : "",
            SLICE_ARGS(name));
    change = quantity_change(arena, scale, before, now);
    return arena_format(arena, "%s %.*s: %.*s %.*s", calls, SLICE_ARGS(other),
                        SLICE_ARGS(name), SLICE_ARGS(change));
}

static struct slice describe(struct arena *arena, const struct timeseries *t,
                             const struct value_scale *scale, double before,
                             double now)
{
    struct slice a = quantity_text(arena, scale, before), name = sent_name(t);
    struct slice b = quantity_text(arena, scale, now), change;
    bool is_time = scale->quantity == QUANTITY_TIME && !slice_equal(a, b);
    const char *title = title_of(t, scale);

    if (t->class == CLASS_ERROR_LOGS)
        return describe_lines(arena, t, before, now);
    if (t->caller_name.len > 0)
        return describe_calls(arena, t, scale, before, now);
    if (t->class == CLASS_ERRORS && t->is_share && t->complement <= 0 &&
        scale->quantity == QUANTITY_RATIO && !slice_equal(a, b))
        return arena_format(arena,
                            "fails in %.*s of requests, %.*s before (%.*s)",
                            SLICE_ARGS(b), SLICE_ARGS(a), SLICE_ARGS(name));
    if (t->class == CLASS_LATENCY && is_time)
        return arena_format(arena, "takes %.*s, %.*s before (%.*s)",
                            SLICE_ARGS(b), SLICE_ARGS(a), SLICE_ARGS(name));
    if (t->class == CLASS_CALLS && is_time)
        return arena_format(arena, "its calls take %.*s, %.*s before (%.*s)",
                            SLICE_ARGS(b), SLICE_ARGS(a), SLICE_ARGS(name));
    change = quantity_change(arena, scale, before, now);
    if (!title)
        return arena_format(arena, "%.*s %.*s", SLICE_ARGS(name),
                            SLICE_ARGS(change));
    return arena_format(arena, "%s %.*s (%.*s)", title, SLICE_ARGS(change),
                        SLICE_ARGS(name));
}

void metric_describe(struct arena *arena, const struct timeseries *t,
                     double before, double now, struct cause_evidence *e)
{
    struct value_scale scale = quantity_scale(arena, t);
    double base = 0, sign = 1, factor;

    if (t->complement > 0) { /* shown as the success that was sent */
        base = 1;
        sign = -1;
    }
    before = base + sign * before;
    now = base + sign * now;
    const char *unit = t->class == CLASS_ERROR_LOGS
                           ? "lines/min"
                           : quantity_unit(arena, &scale, before, now, &factor);
    if (t->class == CLASS_ERROR_LOGS)
        factor = 1;
    e->text = describe(arena, t, &scale, before, now);
    e->numbers =
        (struct cause_numbers){before * factor, now * factor, 0, 0, unit};
    e->chart_base = base * factor;
    e->chart_scale = sign * factor;
}
