/*
 * What changed: new versions and images (the correlator's change events), and
 * what Kubernetes warned of. A change is no fault: it counts only for a
 * component that shows something else, and then says why.
 */
#include "clock.h"
#include "derived.h"
#include "rca_context.h"

/* Roll-outs take minutes, and a bad version may need some to hurt. */
enum { BEFORE_MIN = 15, MAX_EVENTS = 256 };
/* Odds of twenty to one: of incidents with a change just before most are due
 * to it; a fixed weight, as no data here tells how many. */
static const double CHANGE_NATS = 3;

enum status changes_read(struct rca_context *facts)
{
    uint64_t back = BEFORE_MIN * NS_PER_MIN;
    uint64_t start = facts->times[DURING].start_ns;
    struct log_query query = {.start_ns = start > back ? start - back : 0,
                              .end_ns = facts->times[DURING].end_ns,
                              .resources = facts->resources,
                              .events = true,
                              .ascending = true,
                              .limit = MAX_EVENTS};
    uint64_t total;

    return reader_query_logs(facts->question->reader, &query, facts->arena,
                             &facts->events, &facts->event_count, &total);
}

static struct slice attr_of(const struct log_record *log, const char *key)
{
    const struct attr *a = attrs_find(&log->attrs, slice_of(key));

    return a ? attr_text(a) : (struct slice){NULL, 0};
}

bool changes_find(struct rca_context *facts)
{
    for (uint32_t i = 0; i < facts->event_count; i++) {
        const struct log_record *log = &facts->events[i];
        uint32_t c = facts_component(facts, log->resource_id);
        struct slice body = attr_text(&log->body);
        struct slice reason = attr_of(log, "k8s.event.reason");
        bool change = slice_equal(log->event_name, SLICE(DERIVED_CHANGE));

        /* Of Kubernetes' events those that warn, and as news. */
        if (c == NOBODY ||
            (!change && (log->level < LEVEL_WARN ||
                         log->time_ns < facts->times[BEFORE].end_ns)))
            continue;
        struct cause_evidence e = {
            .kind = EVIDENCE_CHANGE,
            .class = change ? "change" : "event",
            .nats = CHANGE_NATS,
            .metric = change ? attr_of(log, DERIVED_CHANGE_KIND) : reason,
            .line = body,
            .peer = NOBODY,
            .onset_ns = log->time_ns,
            .text =
                facts_text(facts, "%.*s%s%.*s", (int)reason.len,
                           reason.ptr ? reason.ptr : "", reason.len ? ": " : "",
                           (int)(body.len < 300 ? body.len : 300),
                           body.ptr ? body.ptr : "")};
        evidence_add(facts, c, &e);
    }
    return !facts->full;
}
