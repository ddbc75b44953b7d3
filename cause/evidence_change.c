/*
 * Events as evidence. Somebody changed something: a change is no fault; it
 * counts only for a component that has other evidence, and explains it. A
 * component's pods do not run, or were killed: that is a cause where the
 * component, or who calls it, suffers; where nobody does, a remark.
 */
#include <math.h>

#include "clock.h"
#include "event_list.h"
#include "evidence_finders.h"
#include "log_shown.h"
#include "timeseries.h"

enum { MAX_TEXT = 300 };

/* Of a component that does not work, while somebody suffers. */
static const double DOWN_SCORE = 6;
/* While nobody does: two kinds of it are not enough to be named. */
static const double REMARK_SCORE = 0.4;
/* A change that long before the fault counts by half, one after it little:
 * changes are also how faults are mended. Onsets are known to the minute. */
static const double HALF_AFTER_NS = 10.0 * NS_PER_MIN;
static const double AFTER_WEIGHT = 0.2;
/* What ended that long before the judged part explains nothing in it. */
static const uint64_t STALE_NS = 5 * NS_PER_MIN;

/* ---- what is read ---- */

static struct cause_change change_of(struct arena *arena,
                                     const struct rca_event *e)
{
    struct slice text = e->kind.len > 0 ? e->text : log_shown(arena, e->text);

    if (text.len == 0 && e->rule && e->rule->says)
        text = slice_of(e->rule->says);
    return (struct cause_change){.time_ns = e->first_ns,
                                 .component = e->component,
                                 .is_warning = e->is_warning,
                                 .kind = e->kind.len > 0 ? e->kind : e->reason,
                                 .reason = e->reason,
                                 .text = text};
}

enum status changes_read(struct rca_changes *changes, struct reader *reader,
                         struct candidates *candidates,
                         const struct rca_times *times, struct arena *arena)
{
    struct event_list *list = arena_zero(arena, 1, sizeof(*list));
    enum status s;

    *changes = (struct rca_changes){NULL, 0, list};
    if (!list)
        return arena_status(arena);
    event_list_init(list, times, arena);
    s = events_read(list, reader, candidates);
    if (s == OK)
        s = event_metrics_read(list, reader, candidates);
    if (s != OK)
        return s;
    if (!event_list_close(list))
        return arena_status(arena);
    changes->at = arena_zero(arena, list->count + 1, sizeof(*changes->at));
    for (uint32_t i = 0; changes->at && i < list->count; i++)
        if (list->at[i].news > 0)
            changes->at[changes->count++] = change_of(arena, &list->at[i]);
    return arena_status(arena);
}

/* ---- who suffers ---- */

struct suffering {
    const struct call_graph *graph;
    double *score; /* by candidate: its strongest symptom */
    uint32_t candidates;
    bool is_measured;
};

static double strongest_symptom(const struct evidence_list *list)
{
    static const uint8_t kinds[] = {EVIDENCE_ERRORS, EVIDENCE_LATENCY,
                                    EVIDENCE_SILENCE, EVIDENCE_BEHAVIOUR};
    double best = 0;

    for (size_t i = 0; i < sizeof(kinds); i++)
        best = fmax(best, list->best[kinds[i]]);
    return best;
}

static bool is_called(const struct suffering *s, uint32_t c)
{
    for (uint32_t d = 0; d < s->candidates; d++)
        if (d != c && call_graph_calls(s->graph, d, c))
            return true;
    return false;
}

/* The strongest symptom of a component and of its callers. Where no caller is
 * known, that of others counts by half, but not of those that it calls. */
static double symptom_around(const struct suffering *s, uint32_t c)
{
    bool called = is_called(s, c);
    double best = s->score[c];

    if (!s->is_measured)
        return CONFIDENT_SCORE;
    for (uint32_t d = 0; d < s->candidates; d++)
        if (call_graph_reaches(s->graph, d, c))
            best = fmax(best, s->score[d]);
        else if (!called && !call_graph_reaches(s->graph, c, d))
            best = fmax(best, s->score[d] / 2);
    return best;
}

static bool is_symptom_class(uint8_t class)
{
    return class == CLASS_LATENCY || class == CLASS_ERRORS ||
           class == CLASS_SUCCESS || class == CLASS_ERROR_LOGS;
}

static bool measure_suffering(struct suffering *s,
                              const struct evidence_set *evidence,
                              const struct red_counts *red,
                              const struct timeseries_list *list)
{
    s->score =
        arena_zero(evidence->arena, s->candidates + 1, sizeof(*s->score));
    if (!s->score)
        return false;
    for (uint32_t c = 0; c < s->candidates; c++) {
        s->score[c] = strongest_symptom(&evidence->of[c]);
        s->is_measured = s->is_measured || red_any_served(red, c);
    }
    for (uint32_t i = 0; i < list->count && !s->is_measured; i++)
        s->is_measured = is_symptom_class(list->at[i].class);
    return true;
}

/* ---- evidence ---- */

/* When the component began to show something; 0: it shows nothing. */
static uint64_t onset_of(const struct evidence_list *list)
{
    uint64_t first = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct cause_evidence *e = &list->at[i];

        if (e->onset_ns > 0 && evidence_is_symptom(e) &&
            (first == 0 || e->onset_ns < first))
            first = e->onset_ns;
    }
    return first;
}

/* Most incidents right after a change are due to it. The weight is fixed: no
 * data here shows how many. Where the onset is not known yet, it is the start
 * of the judged part, or later. */
static double change_score(const struct rca_event *e, uint64_t onset_ns,
                           uint64_t from_ns)
{
    double strength = e->rule ? e->rule->strength : 1, near = 1;
    double gap =
        (double)(int64_t)((onset_ns ? onset_ns : from_ns) - e->first_ns);

    if (onset_ns > 0 && gap < -(double)NS_PER_MIN)
        near = AFTER_WEIGHT;
    else if (gap > 0)
        near = HALF_AFTER_NS / (HALF_AFTER_NS + gap);
    return CONFIDENT_SCORE * strength * e->news * near;
}

/* What callers show is explained by it. */
static double down_score(const struct rca_event *e, double symptom)
{
    double felt = fmin(1, symptom / CONFIDENT_SCORE);

    return e->rule->strength * e->news *
           (REMARK_SCORE + felt * (DOWN_SCORE - REMARK_SCORE + symptom));
}

static struct slice sentence(struct arena *arena, const struct rca_event *e)
{
    bool has_own = e->kind.len > 0 || !e->rule->says;
    struct slice message = e->kind.len > 0 ? text_cut(arena, e->text, MAX_TEXT)
                                           : log_shown(arena, e->text);
    struct slice text;

    if (e->rule == &event_rule_other)
        text = arena_format(arena, "%.*s: %.*s", SLICE_ARGS(e->reason),
                            SLICE_ARGS(message));
    else if (has_own)
        text = message;
    else if (e->rule->is_quoted && message.len > 0)
        text =
            arena_format(arena, "%s: %.*s", e->rule->says, SLICE_ARGS(message));
    else
        text = arena_format(arena, "%s", e->rule->says);
    if (event_times(e) > 1 && e->kind.len == 0)
        text = arena_format(arena, "%.*s (%u times)", SLICE_ARGS(text),
                            event_times(e));
    return text;
}

static bool is_down(const struct rca_event *e)
{
    return e->rule && e->rule->kind != EVIDENCE_CHANGE;
}

static void add_event(struct evidence_set *evidence,
                      const struct suffering *suffering,
                      const struct rca_event *event)
{
    bool down = is_down(event);
    const struct evidence_list *list = &evidence->of[event->component];
    struct cause_evidence e = {
        .kind = event->rule ? event->rule->kind : EVIDENCE_CHANGE,
        .class = event->rule ? event->rule->class : "change",
        .score =
            down
                ? down_score(event, symptom_around(suffering, event->component))
                : change_score(event, onset_of(list), evidence->times->from_ns),
        .metric = event->kind.len > 0 ? event->kind : event->reason,
        .line = event->text,
        .peer = NO_INDEX,
        .onset_ns = event->first_ns,
        .text = sentence(evidence->arena, event)};

    evidence_add(evidence, event->component, &e);
}

void find_changes(struct evidence_set *evidence,
                  const struct rca_changes *changes,
                  const struct call_graph *graph, const struct red_counts *red,
                  const struct timeseries_list *list, uint32_t candidates)
{
    struct suffering suffering = {.graph = graph, .candidates = candidates};

    if (!measure_suffering(&suffering, evidence, red, list))
        return;
    for (int change = 0; change <= 1; change++) /* symptoms first */
        for (uint32_t i = 0; i < changes->events->count; i++) {
            const struct rca_event *e = &changes->events->at[i];

            if (is_down(e) != change &&
                (change || e->last_ns + STALE_NS > evidence->times->from_ns))
                add_event(evidence, &suffering, e);
        }
}
