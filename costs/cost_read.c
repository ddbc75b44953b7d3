/* The window, slice by slice. */
#include "cost_read.h"

#include "clock.h"

/* A week at first; half of that where memory does not suffice, and so on. */
enum { SLICE_HOURS = 168 };

uint64_t cost_step_end(const struct cost_report *report, uint32_t step)
{
    return min_u64(report->start_ns + (step + 1) * report->step_ns,
                   report->end_ns);
}

void cost_cell_add(struct cost_cell *to, const struct cost_cell *from)
{
    for (int kind = 0; kind < PRICE_KINDS; kind++) {
        to->paid[kind] += from->paid[kind];
        to->used[kind] += from->used[kind];
        to->cost[kind] += from->cost[kind];
        to->used_cost[kind] += from->used_cost[kind];
    }
    to->pod_hours += from->pod_hours;
    to->hours += from->hours;
    to->requested |= from->requested;
    to->measured |= from->measured;
}

struct cost_cell cost_total(const struct cost_report *report,
                            const struct cost_component *component)
{
    struct cost_cell total = {.hours = 0};

    for (uint32_t i = 0; i < report->steps; i++)
        cost_cell_add(&total, &component->steps[i]);
    return total;
}

double cost_efficiency(const struct cost_cell *cell)
{
    double cost = cell->cost[PRICE_CPU] + cell->cost[PRICE_MEMORY];
    double used = cell->used_cost[PRICE_CPU] + cell->used_cost[PRICE_MEMORY];

    return cost <= 0 ? 0 : used < cost ? used / cost : 1;
}

static bool is_full(enum status status)
{
    return status == ERR_TOO_BIG || status == ERR_BUSY;
}

enum status cost_read(struct cost_report *report)
{
    struct query_request *request = report->request;
    uint64_t length_ns = SLICE_HOURS * NS_PER_HOUR, at = report->start_ns;
    uint64_t end = min_u64(report->end_ns, request->now_ns);
    enum status status = OK;

    report->index.arena = report->known_index.arena = request->arena;
    while (at < end && status == OK) {
        uint64_t until = min_u64(at + length_ns, end);
        struct arena scratch;

        arena_begin(&scratch, request->arena);
        status = cost_read_slice(report, &scratch, at, until);
        arena_release(&scratch);
        if (report->too_many)
            return query_invalid(request,
                                 "granularity is too small for this time "
                                 "range: an answer has at most %d items",
                                 COST_MAX_ITEMS);
        if (status == OK)
            at = until;
        else if (is_full(status) && arena_status(request->arena) == OK &&
                 length_ns > NS_PER_HOUR) {
            length_ns = length_ns / NS_PER_HOUR / 2 * NS_PER_HOUR;
            status = OK;
        }
    }
    if (status == OK)
        status = arena_status(request->arena);
    return status == OK || request->failed != OK
               ? status
               : query_fail_read(request, status);
}
