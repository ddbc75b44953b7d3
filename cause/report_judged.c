/*
 * Counts are of the judged part of the window: where that is not all of it, the
 * sentences say so.
 */
#include "clock.h"
#include "report.h"

static bool is_counted(const struct cause_evidence *e)
{
    return e->numbers.before_of > 0 || e->numbers.after_of > 0 || e->durations;
}

void report_judged_part(struct rca_context *rca, struct cause_report *report)
{
    uint64_t s = rca->times.from_ns / NS_PER_S;

    if (rca_judges_all(&rca->times))
        return;
    for (uint32_t i = 0; i < report->suspect_count; i++)
        for (uint32_t k = 0; k < report->suspects[i].evidence_count; k++) {
            struct cause_evidence *e = &report->suspects[i].evidence[k];

            if (is_counted(e))
                e->text = arena_format(
                    rca->arena, "%.*s (counted from %02u:%02u:%02u on)",
                    SLICE_ARGS(e->text), (unsigned)(s / 3600 % 24),
                    (unsigned)(s / 60 % 60), (unsigned)(s % 60));
        }
}
