/*
 * What the first suspect complains of: warnings and errors that it logs more
 * often than before, with and without a trace.
 */
#include <stdlib.h>

#include "rca_context.h"

/* Of either time so many are read; statements beyond this many are rare. */
enum { MAX_READ = 1000, MAX_STATEMENTS = 64 };
/* As often as before is no news, and twice as often may be chance. */
enum { TIMES_AS_OFTEN = 2 };

struct statement {
    uint32_t event;
    struct cause_log line;
};

struct statements {
    struct statement at[MAX_STATEMENTS];
    uint32_t count;
};

static struct statement *statement_of(struct rca_context *facts,
                                      struct statements *list,
                                      const struct log_record *log)
{
    uint32_t event = line_event(facts, log), n = list->count;

    for (uint32_t i = 0; i < n; i++)
        if (list->at[i].event == event)
            return &list->at[i];
    if (event == NOBODY || n == MAX_STATEMENTS)
        return NULL;
    list->count++;
    list->at[n] = (struct statement){
        event, {.level = log->level, .text = facts->terms.at[event].line}};
    return &list->at[n];
}

static enum status read_half(struct rca_context *facts, enum rca_period half,
                             const struct bitmap *resources,
                             struct statements *list)
{
    struct log_query query = {.start_ns = facts->times[half].start_ns,
                              .end_ns = facts->times[half].end_ns,
                              .resources = resources,
                              .levels = 1u << LEVEL_WARN | 1u << LEVEL_ERROR |
                                        1u << LEVEL_FATAL,
                              .ascending = half == DURING,
                              .limit = MAX_READ};
    struct log_record *logs;
    uint32_t count;
    uint64_t total;
    enum status s = reader_query_logs(facts->question->reader, &query,
                                      facts->arena, &logs, &count, &total);

    for (uint32_t i = 0; s == OK && i < count; i++) {
        struct statement *at = statement_of(facts, list, &logs[i]);

        if (at && half == BEFORE)
            at->line.before++;
        if (at && half == DURING && at->line.count++ == 0)
            at->line.time_ns = logs[i].time_ns;
    }
    return s;
}

static bool is_news(const struct rca_context *facts,
                    const struct cause_log *line)
{
    const struct cause_window *w = facts->times;
    double was = (double)(w[BEFORE].end_ns - w[BEFORE].start_ns);
    double is = (double)(w[DURING].end_ns - w[DURING].start_ns);

    return line->count * was > TIMES_AS_OFTEN * line->before * is;
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

enum status lines_find(struct rca_context *facts, struct cause_report *report)
{
    struct statements *list = arena_zero(facts->arena, 1, sizeof(*list));
    struct cause_log news[MAX_STATEMENTS];
    struct bitmap *resources =
        facts_resources(facts, report->suspects[0].component);
    uint32_t n = 0;

    if (!list || !resources)
        return arena_status(facts->arena);
    enum status s = read_half(facts, DURING, resources, list);
    if (s == OK)
        s = read_half(facts, BEFORE, resources, list);
    for (uint32_t i = 0; s == OK && i < list->count; i++)
        if (is_news(facts, &list->at[i].line))
            news[n++] = list->at[i].line;
    if (n > 0)
        qsort(news, n, sizeof(*news), worst_first);
    report->line_count = n < CAUSE_MAX_LOGS ? n : CAUSE_MAX_LOGS;
    for (uint32_t i = 0; i < report->line_count; i++)
        report->lines[i] = news[i];
    return s;
}
