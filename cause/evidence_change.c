/*
 * What changed: new versions and images (the correlator's change events), and
 * warnings of Kubernetes. A change is no fault: it counts only for a component
 * that has other evidence, and explains it.
 */
#include "clock.h"
#include "derived.h"
#include "evidence_finders.h"
#include "log_shown.h"

/* Roll-outs take minutes, and a bad version may need some to hurt. */
enum { LOOK_BACK_MIN = 15, MAX_EVENTS = 256, MAX_TEXT = 300 };

enum status changes_read(struct rca_changes *list, struct reader *reader,
                         struct candidates *candidates,
                         const struct rca_times *times, struct arena *arena)
{
    uint64_t back = LOOK_BACK_MIN * NS_PER_MIN;
    uint64_t start = times->period[WINDOW].start_ns;
    struct log_query query = {.start_ns = start > back ? start - back : 0,
                              .end_ns = times->period[WINDOW].end_ns,
                              .resources = candidates->resources,
                              .events = true,
                              .ascending = true,
                              .limit = MAX_EVENTS};
    struct log_record *logs;
    uint64_t total;
    uint32_t count;
    enum status s =
        reader_query_logs(reader, &query, arena, &logs, &count, &total);

    *list = (struct rca_changes){NULL, 0};
    if (s != OK)
        return s;
    list->at = arena_zero(arena, count + 1, sizeof(*list->at));
    for (uint32_t i = 0; list->at && i < count; i++) {
        const struct log_record *log = &logs[i];
        uint32_t c = candidate_of_resource(candidates, log->resource_id);
        bool change = slice_equal(log->event_name, SLICE(DERIVED_CHANGE));
        struct slice reason =
            attrs_text(&log->attrs, SLICE("k8s.event.reason"));

        /* Of Kubernetes' events those that warn. */
        if (c != NO_INDEX && (change || log->level >= LEVEL_WARN))
            list->at[list->count++] = (struct cause_change){
                .time_ns = log->time_ns,
                .component = c,
                .is_warning = !change,
                .kind =
                    change ? attrs_text(&log->attrs, SLICE(DERIVED_CHANGE_KIND))
                           : reason,
                .reason = reason,
                .text = attr_text(&log->body)};
    }
    return arena_status(arena);
}

void find_changes(struct evidence_set *evidence, const struct rca_changes *list)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct cause_change *c = &list->at[i];
        struct slice text = c->text, reason = c->reason;

        /* Of warnings those that are new. */
        if (c->is_warning &&
            c->time_ns < evidence->times->period[BASELINE].end_ns)
            continue;
        text = text_cut(evidence->arena, text, MAX_TEXT);
        struct cause_evidence e = {
            .kind = EVIDENCE_CHANGE,
            .class = c->is_warning ? "event" : "change",
            /* Most incidents right after a change are due to it. The weight is
               fixed: no data here shows how many. */
            .score = CONFIDENT_SCORE,
            .metric = c->kind,
            .line = c->text,
            .peer = NO_INDEX,
            .onset_ns = c->time_ns,
            .text =
                text_format(evidence->arena, "%.*s%s%.*s", SLICE_ARGS(reason),
                            reason.len ? ": " : "", SLICE_ARGS(text))};
        evidence_add(evidence, c->component, &e);
    }
}
