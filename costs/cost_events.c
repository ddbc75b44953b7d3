/* Kubernetes events of containers that were killed for their memory. */
#include <math.h>

#include "cost_read.h"

enum { EVENTS_MAX = 1000 };

static const struct attr_match reasons[] = {
    {SLICE_INIT("k8s.event.reason"), SLICE_INIT("OOMKilled")},
    {SLICE_INIT("k8s.event.reason"), SLICE_INIT("OOMKilling")},
};

/* Metrics may tell of the same kills: the larger number counts. */
static void count(struct cost_report *report, const struct log_record *events,
                  uint32_t n, struct arena *scratch)
{
    uint32_t *kills = arena_zero(scratch, report->count + 1, sizeof(*kills));

    for (uint32_t i = 0; kills && i < n; i++) {
        const struct cost_resource *known =
            cost_resource(report, events[i].resource_id, scratch);

        if (known && known->component < report->count)
            kills[known->component]++;
    }
    for (uint32_t i = 0; kills && i < report->count; i++) {
        struct sizing *sizing = report->components[i].sizing;

        sizing->oom_kills = fmax(sizing->oom_kills, kills[i]);
    }
}

enum status cost_count_kills(struct cost_report *report)
{
    struct query_request *request = report->request;
    const struct log_query query = {.start_ns = report->start_ns,
                                    .end_ns = report->end_ns,
                                    .resources = report->resources,
                                    .events = true,
                                    .any = reasons,
                                    .any_count = 2,
                                    .limit = EVENTS_MAX,
                                    .brief = true};
    struct arena scratch;
    struct log_record *events;
    uint64_t total;
    uint32_t n, known = report->count;
    enum status status;

    arena_begin(&scratch, request->arena);
    status = reader_query_logs(request->reader, &query, &scratch, &events, &n,
                               &total);
    if (status == OK) {
        count(report, events, n, &scratch);
        report->count = known; /* components that have events alone */
        status = arena_status(&scratch);
    }
    arena_release(&scratch);
    return status == OK ? OK : query_fail_read(request, status);
}
