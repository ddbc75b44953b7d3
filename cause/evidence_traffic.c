/*
 * Requests that no known caller sent: a flood from outside, or calls that are
 * made again and again. Alone they are no fault; they explain a component that
 * is slow or fails.
 */
#include <math.h>

#include "evidence_finders.h"
#include "metric_history.h"
#include "metric_sentence.h"

/* So many times as many as the callers send: less may be chance. */
static const double UNSENT = 1.5;
/* Callers that send less than that many times as many send no more. */
static const double SENT = 1.15;

/* From here on one digit tells enough. */
static const double MANY_TIMES = 3;

/* The series of the component's requests that rose most; NULL: none did. */
static const struct timeseries *find_series(const struct evidence_set *evidence,
                                            const struct timeseries_list *list,
                                            uint32_t first, uint32_t end,
                                            const struct component_flows *f,
                                            double *room, struct deviation *d)
{
    const struct component_load load = {.ratio = f->sent_ratio};
    const struct timeseries *best = NULL;

    for (uint32_t i = first; i < end; i++) {
        const struct timeseries *t = &list->at[i];

        if (t->class != CLASS_TRAFFIC || t->before < 3 || t->sort != f->sort ||
            slice_equal(t->unit, SLICE("lines/min"))) /* of a log */
            continue;
        struct deviation of =
            history_deviation(t, evidence->times, 1, &load, room);
        if (of.score > (best ? d->score : 0)) {
            *d = of;
            best = t;
        }
    }
    return best;
}

static void add_traffic(struct evidence_set *evidence,
                        const struct timeseries *t, const struct deviation *d,
                        const struct component_flows *f)
{
    const double *best = evidence->of[t->component].best;
    double felt = fmax(best[EVIDENCE_LATENCY], best[EVIDENCE_ERRORS]);
    struct cause_evidence e = {.kind = EVIDENCE_METRIC,
                               .class = "traffic",
                               .score = fmin(felt, d->score - evidence->chance),
                               .metric = t->name,
                               .peer = NO_INDEX,
                               .timeseries = t,
                               .is_anomaly = true,
                               .onset_ns = d->onset_ns};
    struct slice times =
        number_text(evidence->arena, f->ratio, f->ratio < MANY_TIMES ? 2 : 1);
    struct slice sent = number_text(evidence->arena, f->sent_ratio,
                                    f->sent_ratio < MANY_TIMES ? 2 : 1);

    metric_describe(evidence->arena, t, t->median, d->now, &e);
    e.text =
        f->sent_ratio < SENT
            ? arena_format(evidence->arena,
                           "gets about %.*s times as many requests as before, "
                           "and its callers do not send more (%.*s)",
                           SLICE_ARGS(times), SLICE_ARGS(t->name))
            : arena_format(evidence->arena,
                           "gets about %.*s times as many requests as before, "
                           "and its callers send %.*s times as many "
                           "(%.*s)",
                           SLICE_ARGS(times), SLICE_ARGS(sent),
                           SLICE_ARGS(t->name));
    evidence_add(evidence, t->component, &e);
}

void find_traffic(struct evidence_set *evidence,
                  const struct timeseries_list *list,
                  const struct flow_list *flows, double *room)
{
    for (uint32_t i = 0, end; i < list->count; i = end) {
        const struct component_flows *f = &flows->at[list->at[i].component];
        const struct timeseries *t;
        struct deviation d;

        end = timeseries_end(list, i);
        if (f->ratio < UNSENT * f->sent_ratio)
            continue;
        t = find_series(evidence, list, i, end, f, room, &d);
        if (t)
            add_traffic(evidence, t, &d, f);
    }
}
