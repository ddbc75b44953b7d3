/*
 * What whoever reads the answer should know besides: a window that was cut, and
 * telemetry that stopped: a signal that components sent in each minute, and
 * that ends in the window while another signal of them goes on. What is missing
 * is no evidence; whoever reads the answer should know that it is missing.
 */
#include <math.h>

#include "clock.h"
#include "derived.h"
#include "report.h"

enum { MAX_MINUTES = 1440, WORDS = (MAX_MINUTES + 63) / 64, MAX_NAMED = 3 };
/* That a signal that goes on is missing in so many minutes: one in fifty. */
static const double MAX_CHANCE = 0.02;

enum remark_signal {
    REMARK_SPANS,
    REMARK_LOGS,
    REMARK_METRICS,
    REMARK_INFO,
    REMARK_SIGNALS
};
static const char *const titles[REMARK_SIGNALS] = {
    "spans", "log records", "metrics", "INFO log records"};

/* Minutes with records, of a component. */
struct signal_minutes {
    uint64_t bits[REMARK_SIGNALS][WORDS];
};

struct remark_builder {
    struct rca_context *rca;
    struct signal_minutes *components;
    uint64_t from_ns;
    uint32_t usual_minutes, window_minute, minutes;
};

static bool has_records(const struct remark_builder *b, uint32_t c,
                        enum remark_signal signal, uint32_t minute)
{
    return b->components[c].bits[signal][minute / 64] >> minute % 64 & 1;
}

/* ---- reading ---- */

static enum remark_signal signal_of(const struct point *p)
{
    struct slice signal = attrs_text(&p->attrs, SLICE(DERIVED_SIGNAL));

    if (slice_equal(signal, SLICE("traces")))
        return REMARK_SPANS;
    if (slice_equal(signal, SLICE("logs")))
        return REMARK_LOGS;
    if (slice_equal(signal, SLICE("metrics")))
        return REMARK_METRICS;
    return slice_equal(attrs_text(&p->attrs, SLICE(DERIVED_LEVEL)),
                       SLICE("INFO"))
               ? REMARK_INFO
               : REMARK_SIGNALS;
}

static void take_point(void *arg, const struct point *p)
{
    struct remark_builder *b = arg;
    uint32_t c = candidate_of_resource(&b->rca->candidates, p->resource_id);
    enum remark_signal signal = signal_of(p);

    if (c == NO_INDEX || signal == REMARK_SIGNALS || p->start_ns < b->from_ns)
        return;
    uint64_t minute = (p->start_ns - b->from_ns) / NS_PER_MIN;
    if (minute < b->minutes)
        b->components[c].bits[signal][minute / 64] |= UINT64_C(1)
                                                      << minute % 64;
}

static enum status read_minutes(struct remark_builder *b)
{
    static const struct slice names[] = {SLICE_INIT(DERIVED_RECORDS),
                                         SLICE_INIT(DERIVED_LOGS)};
    struct series_query query = {.start_ns = b->from_ns,
                                 .end_ns =
                                     b->from_ns + b->minutes * NS_PER_MIN + 1,
                                 .resources = b->rca->candidates.resources,
                                 .names = names,
                                 .name_count = 2};

    return reader_query_series(b->rca->query->reader, &query, take_point, b);
}

/* ---- judging ---- */

/* The minute from which on nothing came, in the last third of the window at
 * least; 0: it goes on, or came in so few minutes before that this is no
 * news. */
static uint32_t stop_of(const struct remark_builder *b, uint32_t c,
                        enum remark_signal signal)
{
    uint32_t usual = 0, stop = b->minutes;

    for (uint32_t i = 0; i < b->usual_minutes; i++)
        usual += has_records(b, c, signal, i);
    while (stop > 0 && !has_records(b, c, signal, stop - 1))
        stop--;
    double missing = 1 - (usual + 0.5) / (b->usual_minutes + 1);
    uint32_t silent = b->minutes - stop;
    bool stopped = usual > 0 && stop + 1 >= b->window_minute && silent > 0 &&
                   3 * silent >= b->minutes - b->window_minute &&
                   pow(missing, silent) < MAX_CHANCE;
    return stopped ? stop : 0;
}

static bool has_any(const struct remark_builder *b, uint32_t c,
                    enum remark_signal signal, uint32_t first, uint32_t end)
{
    for (uint32_t i = first; i < end; i++)
        if (has_records(b, c, signal, i))
            return true;
    return false;
}

/* Does another signal go on? Log records come with requests: where there were
 * spans, these tell. */
static bool is_alive(const struct remark_builder *b, uint32_t c,
                     enum remark_signal stopped, uint32_t stop)
{
    bool is_log = stopped == REMARK_LOGS || stopped == REMARK_INFO;
    bool traced = has_any(b, c, REMARK_SPANS, 0, b->usual_minutes);

    for (int signal = 0; signal < REMARK_SIGNALS; signal++)
        if (signal != (int)stopped &&
            (!is_log || (signal == REMARK_SPANS) == traced) &&
            has_any(b, c, (enum remark_signal)signal, stop, b->minutes))
            return true;
    return false;
}

/* INFO records are told where other records of the component still come. */
static bool has_stopped(const struct remark_builder *b, uint32_t c,
                        enum remark_signal signal, uint32_t *stop)
{
    *stop = stop_of(b, c, signal);
    return *stop > 0 && is_alive(b, c, signal, *stop) &&
           (signal != REMARK_INFO || stop_of(b, c, REMARK_LOGS) == 0);
}

/* A component without requests has no spans; many at once have lost them. */
static bool are_enough(const struct remark_builder *b,
                       enum remark_signal signal, uint32_t count)
{
    uint32_t all = 0;

    for (uint32_t c = 0; c < b->rca->candidates.component_count; c++)
        all += has_any(b, c, REMARK_SPANS, 0, b->usual_minutes);
    return count > 0 && (signal != REMARK_SPANS || 2 * count >= all);
}

static bool add_remark(struct remark_builder *b, enum remark_signal signal,
                       struct cause_report *report)
{
    struct arena *arena = b->rca->arena;
    uint32_t count = 0, first = UINT32_MAX, stop;
    struct slice names = SLICE("");
    struct cause_remark *remark = &report->remarks[report->remark_count];

    for (uint32_t c = 0; c < b->rca->candidates.component_count; c++) {
        if (!has_stopped(b, c, signal, &stop))
            continue;
        struct slice name = candidate_name(&b->rca->candidates, c);

        if (stop < first)
            first = stop;
        if (count++ < MAX_NAMED)
            names = arena_format(arena, "%.*s%s%.*s", SLICE_ARGS(names),
                                 count > 1 ? ", " : "", SLICE_ARGS(name));
    }
    if (!are_enough(b, signal, count))
        return true;
    if (count > MAX_NAMED)
        names = arena_format(arena, "%.*s and %u more", SLICE_ARGS(names),
                             count - MAX_NAMED);
    remark->time_ns = b->from_ns + first * NS_PER_MIN;
    uint64_t minute = remark->time_ns / NS_PER_MIN % 1440;
    remark->text = arena_format(
        arena,
        "no %s of %u component%s arrive since %02u:%02u UTC, other telemetry "
        "of %s does: %.*s",
        titles[signal], count, count > 1 ? "s" : "", (unsigned)(minute / 60),
        (unsigned)(minute % 60), count > 1 ? "them" : "it", SLICE_ARGS(names));
    report->remark_count++;
    return remark->text.len > 0;
}

/* The window of the answer is not the one that was asked for. */
static bool remark_window(struct rca_context *rca, struct cause_report *report)
{
    const struct cause_window *period = rca->times.period;
    struct cause_remark *remark = &report->remarks[report->remark_count];
    uint64_t known = period[BASELINE].start_ns / NS_PER_MIN % 1440;

    if (period[WINDOW].start_ns == rca->query->window.start_ns)
        return true;
    remark->time_ns = period[BASELINE].start_ns;
    remark->text =
        arena_format(rca->arena,
                     "little is known before the window, so the incident is "
                     "compared with the time from %02u:%02u UTC to its start",
                     (unsigned)(known / 60), (unsigned)(known % 60));
    report->remark_count++;
    return remark->text.len > 0;
}

enum status report_remarks(struct rca_context *rca, struct cause_report *report)
{
    const struct cause_window *period = rca->times.period;
    uint64_t from_ns = period[BASELINE].start_ns / NS_PER_MIN * NS_PER_MIN;
    uint64_t end_ns =
        (period[WINDOW].end_ns + NS_PER_MIN - 1) / NS_PER_MIN * NS_PER_MIN;
    struct remark_builder b = {.rca = rca, .from_ns = from_ns};

    if (!remark_window(rca, report))
        return arena_status(rca->arena);
    if ((end_ns - from_ns) / NS_PER_MIN > MAX_MINUTES)
        return OK; /* too long to be looked at by the minute */
    b.minutes = (uint32_t)((end_ns - from_ns) / NS_PER_MIN);
    b.usual_minutes =
        (uint32_t)((period[BASELINE].end_ns - from_ns) / NS_PER_MIN) + 1;
    b.window_minute =
        (uint32_t)((period[WINDOW].start_ns - from_ns) / NS_PER_MIN);
    b.components = arena_zero(rca->arena, rca->candidates.component_count + 1,
                              sizeof(*b.components));
    if (!b.components)
        return arena_status(rca->arena);
    enum status s = read_minutes(&b);
    for (int signal = 0; s == OK && signal < REMARK_SIGNALS; signal++)
        if (!add_remark(&b, (enum remark_signal)signal, report))
            s = arena_status(rca->arena);
    return s;
}
