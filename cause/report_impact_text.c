/*
 * The sentence of what users see.
 */
#include "quantity.h"
#include "report_impact.h"

enum { MAX_NAMED = 3 };

static struct slice name_of(const struct rca_context *rca, uint32_t c)
{
    return candidate_name(&rca->candidates, c);
}

static struct slice list_affected(struct rca_context *rca,
                                  const struct cause_suspect *s)
{
    struct slice text = SLICE("");

    for (uint32_t i = 0; i < s->affected_count && i < MAX_NAMED; i++) {
        struct slice name = name_of(rca, s->affected[i]);

        text = arena_format(rca->arena, "%.*s%s%.*s", SLICE_ARGS(text),
                            i == 0 ? "" : ", ", SLICE_ARGS(name));
    }
    if (s->affected_count > MAX_NAMED)
        text = arena_format(rca->arena, "%.*s and %u more", SLICE_ARGS(text),
                            s->affected_count - MAX_NAMED);
    return text;
}

/* "92 of 99 requests (3 of 146 before)"; of a sample "about 12% of requests".
 */
static struct slice failed_share(struct arena *arena,
                                 const struct cause_impact *i,
                                 struct slice through)
{
    double k = (double)i->failed, n = (double)i->requests;
    double k1 = (double)i->failed_before, n1 = (double)i->requests_before;
    struct slice now, before;

    if (i->is_sample) {
        now = about_percent_text(arena, n > 0 ? k / n : 0);
        before = about_percent_text(arena, n1 > 0 ? k1 / n1 : 0);
        return arena_format(arena, "about %.*s of requests%.*s (%.*s before)",
                            SLICE_ARGS(now), SLICE_ARGS(through),
                            SLICE_ARGS(before));
    }
    now = share_text(arena, k, n, "requests");
    before = share_before_text(arena, k1, n1);
    return arena_format(arena, "%.*s%.*s (%.*s before)", SLICE_ARGS(now),
                        SLICE_ARGS(through), SLICE_ARGS(before));
}

/* How many are slow is known of those that were looked at: "12 of 99 requests
 * (0 of 146 before)". */
static struct slice slow_share(struct arena *arena,
                               const struct cause_impact *i,
                               struct slice through)
{
    double k = i->slow_looked_at, n = i->slow_of;
    double k1 = i->slow_before, n1 = i->slow_before_of;
    struct slice now, before;

    if (!i->is_sample && !i->is_slow_estimate && i->slow_of == i->requests) {
        now = share_text(arena, k, n, "requests");
        before = share_before_text(arena, k1, n1);
        return arena_format(arena, "%.*s%.*s (%.*s before)", SLICE_ARGS(now),
                            SLICE_ARGS(through), SLICE_ARGS(before));
    }
    now = about_percent_text(arena, k / n);
    before = about_percent_text(arena, k1 / n1);
    return arena_format(arena, "about %.*s of requests%.*s (%.*s before)",
                        SLICE_ARGS(now), SLICE_ARGS(through),
                        SLICE_ARGS(before));
}

/* "web: POST /checkout fails in 92 of 99 requests (3 of 146 before), and 12 of
 * 99 requests take longer than 340 ms" */
static struct slice describe_operation(struct rca_context *rca,
                                       const struct cause_impact *i)
{
    struct arena *arena = rca->arena;
    struct slice name = name_of(rca, i->component), text = SLICE("");
    struct slice through = SLICE("");
    bool slow = i->slow_limit_ns > 0;

    if (i->through != NO_INDEX && i->through != i->component) {
        through = name_of(rca, i->through);
        through = arena_format(arena, " that pass %.*s", SLICE_ARGS(through));
    }
    if (i->is_failing) {
        struct slice share = failed_share(arena, i, through);

        text = arena_format(arena, "fails in %.*s%s", SLICE_ARGS(share),
                            slow ? ", and " : "");
    }
    if (slow) {
        struct slice share = slow_share(arena, i, through);
        struct slice limit =
            milliseconds_text(arena, (double)i->slow_limit_ns / 1e6);

        text = arena_format(arena, "%.*stakes longer than %.*s in %.*s",
                            SLICE_ARGS(text), SLICE_ARGS(limit),
                            SLICE_ARGS(share));
    }
    return arena_format(arena, "%.*s: %.*s %.*s", SLICE_ARGS(name),
                        SLICE_ARGS(i->operation), SLICE_ARGS(text));
}

struct slice report_impact_text(struct rca_context *rca,
                                const struct cause_report *report)
{
    struct slice affected = SLICE(""), worst;

    if (report->found && report->suspect_count > 0)
        affected = list_affected(rca, &report->suspects[0]);
    if (report->impact_count > 0) {
        worst = describe_operation(rca, &report->impacts[0]);
        if (report->impact_total == 1)
            return worst;
        return arena_format(rca->arena, "%.*s; %u more operation%s",
                            SLICE_ARGS(worst), report->impact_total - 1,
                            report->impact_total == 2 ? " suffers"
                                                      : "s suffer");
    }
    if (report->impact.len > 0 && affected.len > 0 &&
        report->impact_at == NO_INDEX)
        return arena_format(rca->arena, "seen by %.*s; %.*s",
                            SLICE_ARGS(affected), SLICE_ARGS(report->impact));
    if (report->impact.len > 0)
        return report->impact;
    if (affected.len > 0)
        return arena_format(rca->arena,
                            "seen by %.*s; no effect on users was found",
                            SLICE_ARGS(affected));
    return SLICE("no effect on users was found");
}
