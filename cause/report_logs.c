/*
 * Warnings and errors that the first suspect logs more often than before, with
 * and without a trace.
 */
#include <stdlib.h>

#include "report.h"

/* So many are read of each period; statements beyond this many are rare. */
enum { MAX_READ = 1000, MAX_STATEMENTS = 64 };
/* As often as before is no news, and twice as often may be chance. */
enum { TIMES_AS_OFTEN = 2 };

struct log_statements {
    struct cause_log at[MAX_STATEMENTS];
    uint32_t fingerprints[MAX_STATEMENTS];
    uint32_t count;
};

static struct cause_log *statement_of(struct interned_terms *terms,
                                      struct log_statements *list,
                                      const struct log_record *log)
{
    uint32_t fingerprint = log_fingerprint(terms, log), n = list->count;

    for (uint32_t i = 0; i < n; i++)
        if (list->fingerprints[i] == fingerprint)
            return &list->at[i];
    if (fingerprint == NO_INDEX || n == MAX_STATEMENTS ||
        terms->at[fingerprint].line.len == 0)
        return NULL;
    list->count++;
    list->fingerprints[n] = fingerprint;
    list->at[n] = (struct cause_log){.level = log->level,
                                     .text = terms->at[fingerprint].line};
    return &list->at[n];
}

static enum status read_period(struct rca_context *rca, enum rca_period period,
                               const struct bitmap *resources,
                               struct log_statements *list)
{
    const struct cause_window *time = &rca->times.period[period];
    struct count_limit counting = {.most = 1}; /* the total is not used */
    struct log_query query = {.start_ns = time->start_ns,
                              .end_ns = time->end_ns,
                              .resources = resources,
                              .levels = 1u << LEVEL_WARN | 1u << LEVEL_ERROR |
                                        1u << LEVEL_FATAL,
                              .ascending = period == WINDOW,
                              .limit = MAX_READ,
                              .brief = true,
                              .counting = &counting};
    struct log_record *logs;
    uint32_t count;
    uint64_t total;
    enum status s = reader_query_logs(rca->query->reader, &query, rca->arena,
                                      &logs, &count, &total);

    for (uint32_t i = 0; s == OK && i < count; i++) {
        struct cause_log *at = statement_of(&rca->traces.terms, list, &logs[i]);

        if (at && period == BASELINE)
            at->before++;
        if (at && period == WINDOW && at->count++ == 0)
            at->time_ns = logs[i].time_ns;
    }
    return s;
}

static bool is_more_frequent(const struct rca_times *times,
                             const struct cause_log *log)
{
    const struct cause_window *period = times->period;
    double before =
        (double)(period[BASELINE].end_ns - period[BASELINE].start_ns);
    double now = (double)(period[WINDOW].end_ns - period[WINDOW].start_ns);

    return log->count * before > TIMES_AS_OFTEN * log->before * now;
}

static int worst_first(const void *left, const void *right)
{
    const struct cause_log *a = left, *b = right;
    bool x = a->level >= LEVEL_ERROR, y = b->level >= LEVEL_ERROR;

    if (x != y)
        return x ? -1 : 1;
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    return slice_compare(a->text, b->text);
}

enum status report_logs(struct rca_context *rca, struct cause_report *report)
{
    uint32_t first = report->suspects[0].component, n = 0;
    struct log_statements *list = arena_zero(rca->arena, 1, sizeof(*list));
    struct bitmap *resources = candidate_resources(&rca->candidates, first);

    if (candidate_is_peer(&rca->candidates, first))
        return OK;
    if (!list || !resources)
        return arena_status(rca->arena);
    enum status s = read_period(rca, WINDOW, resources, list);
    if (s == OK)
        s = read_period(rca, BASELINE, resources, list);
    if (s != OK)
        return s;
    for (uint32_t i = 0; i < list->count; i++)
        if (is_more_frequent(&rca->times, &list->at[i]))
            list->at[n++] = list->at[i];
    if (n > 0)
        qsort(list->at, n, sizeof(*list->at), worst_first);
    report->log_count = n < CAUSE_MAX_LOGS ? n : CAUSE_MAX_LOGS;
    memcpy(report->logs, list->at, report->log_count * sizeof(*list->at));
    return OK;
}
