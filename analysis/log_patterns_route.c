/* GET /api/v1/logs/patterns: patterns with counts first, then examples. */
#include "clock.h"
#include "empty_reply.h"
#include "log_params.h"
#include "log_patterns.h"
#include "names.h"
#include "page_link.h"
#include "routes.h"
#include "store.h"

enum {
    PATTERNS = 20, /* unless limit says */
    PATTERNS_MAX = 200,
    EXAMPLES = 5,
};

/* ---- a pattern ---- */

static const struct reply_table component_count_table =
    REPLY_TABLE(struct pattern_component,
                REPLY_INLINE(struct pattern_component, identity, REPLY_POINTER,
                             &scope_names_table),
                REPLY(struct pattern_component, "count", count));

static const struct reply_table example_table =
    REPLY_TABLE(struct pattern_example,
                REPLY_TIME(struct pattern_example, "timestamp", time_ns),
                REPLY(struct pattern_example, "log", log),
                REPLY_INLINE(struct pattern_example, identity, REPLY_POINTER,
                             &scope_names_table),
                REPLY_OPTIONAL(struct pattern_example, "traceId", trace_id),
                REPLY_OPTIONAL(struct pattern_example, "spanId", span_id));

struct pattern_item {
    struct log_pattern pattern;
    const char *level;
    double share;
    bool new;
    struct reply_list components;
    const struct pattern_example *example; /* NULL: none was found */
};
static const struct reply_table pattern_table = REPLY_TABLE(
    struct pattern_item, REPLY(struct pattern_item, "template", pattern.text),
    REPLY(struct pattern_item, "templateId", pattern.id),
    REPLY(struct pattern_item, "level", level),
    REPLY(struct pattern_item, "count", pattern.count),
    REPLY(struct pattern_item, "share", share),
    REPLY(struct pattern_item, "countBefore", pattern.before),
    REPLY(struct pattern_item, "new", new),
    REPLY_TIME(struct pattern_item, "firstSeen", pattern.first_ns),
    REPLY_TIME(struct pattern_item, "lastSeen", pattern.last_ns),
    REPLY_LIST(struct pattern_item, "components", components,
               &component_count_table),
    REPLY(struct pattern_item, "componentCount", pattern.component_count),
    REPLY_OBJECT(struct pattern_item, "example", example, REPLY_POINTER,
                 &example_table));

/* ---- the list while it is written ---- */

struct patterns_writer {
    struct log_patterns *patterns;
    struct pattern_item item;
    struct log_record *logs;
    struct log_view view;
};

static const void *pattern_item(void *arg, uint32_t i)
{
    struct patterns_writer *w = arg;
    const struct log_pattern *pattern = &w->patterns->at[i];
    uint32_t named = pattern->component_count;

    w->item = (struct pattern_item){
        .pattern = *pattern,
        .level = log_level_name(pattern->level),
        .share =
            pattern->count / (w->patterns->truncated ? w->patterns->line_count
                                                     : w->patterns->total),
        .new = pattern->before <= 0,
        .components = {.count = named < PATTERN_COMPONENTS ? named
                                                           : PATTERN_COMPONENTS,
                       .items = pattern->components},
        .example = pattern->example.time_ns ? &pattern->example : NULL};
    return &w->item;
}

static const void *example_item(void *arg, uint32_t i)
{
    struct patterns_writer *w = arg;
    const struct list_time time = {.ns = w->logs[i].time_ns};

    return log_view_fill(&w->view, w->patterns->request, &w->logs[i], time,
                         false);
}

/* ---- levels and bars ---- */

struct level_counts {
    double debug, info, warn, error, fatal;
};
static const struct reply_table level_counts_table =
    REPLY_TABLE(struct level_counts,
                REPLY_OPTIONAL_ROUNDED(struct level_counts, "DEBUG", debug),
                REPLY_OPTIONAL_ROUNDED(struct level_counts, "INFO", info),
                REPLY_OPTIONAL_ROUNDED(struct level_counts, "WARN", warn),
                REPLY_OPTIONAL_ROUNDED(struct level_counts, "ERROR", error),
                REPLY_OPTIONAL_ROUNDED(struct level_counts, "FATAL", fatal));

static struct level_counts level_counts(const double by_level[LEVEL_COUNT])
{
    return (struct level_counts){by_level[LEVEL_DEBUG], by_level[LEVEL_INFO],
                                 by_level[LEVEL_WARN], by_level[LEVEL_ERROR],
                                 by_level[LEVEL_FATAL]};
}

struct volume_bar {
    uint64_t time_ns;
    struct level_counts counts;
};
static const struct reply_table bar_table = REPLY_TABLE(
    struct volume_bar, REPLY_TIME(struct volume_bar, "timestamp", time_ns),
    REPLY_INLINE(struct volume_bar, counts, 0, &level_counts_table));

struct volume {
    double step_seconds;
    struct reply_list bars;
};
static const struct reply_table volume_table = REPLY_TABLE(
    struct volume, REPLY(struct volume, "stepSeconds", step_seconds),
    REPLY_LIST(struct volume, "bars", bars, &bar_table));

static struct reply_list list_bars(const struct log_patterns *p)
{
    struct volume_bar *bars =
        arena_zero(p->request->arena, p->bars.count + 1, sizeof(*bars));
    uint32_t n = 0;

    for (uint32_t i = 0; bars && i < p->bars.count; i++) {
        const double *counts = p->bar_counts[i];
        double all = 0;

        for (int level = 0; level < LEVEL_COUNT; level++)
            all += counts[level];
        if (all > 0)
            bars[n++] = (struct volume_bar){grid_time(&p->bars, i),
                                            level_counts(counts)};
    }
    return (struct reply_list){.count = n, .items = bars};
}

/* ---- the answer ---- */

struct patterns_reply {
    const struct window *window;
    double total, examined;
    bool truncated;
    struct level_counts levels;
    struct reply_list patterns, examples;
    uint32_t pattern_count;
    struct volume volume;
    const struct empty_reply *empty;
    struct slice link;
    int64_t took_ms;
};
static const struct reply_table patterns_table = REPLY_TABLE(
    struct patterns_reply,
    REPLY_OBJECT(struct patterns_reply, "window", window, REPLY_POINTER,
                 &window_table),
    REPLY(struct patterns_reply, "total", total),
    REPLY(struct patterns_reply, "examined", examined),
    REPLY(struct patterns_reply, "truncated", truncated),
    REPLY_OBJECT(struct patterns_reply, "levels", levels, 0,
                 &level_counts_table),
    REPLY_LIST(struct patterns_reply, "patterns", patterns, &pattern_table),
    REPLY(struct patterns_reply, "patternCount", pattern_count),
    REPLY_OBJECT(struct patterns_reply, "histogram", volume, 0, &volume_table),
    REPLY_LIST(struct patterns_reply, "examples", examples, &log_entry_table),
    REPLY_OBJECT(struct patterns_reply, "empty", empty, REPLY_POINTER,
                 &empty_table),
    REPLY_OPTIONAL(struct patterns_reply, "link", link),
    REPLY(struct patterns_reply, "tookMs", took_ms));

static enum status read_examples(struct log_patterns *p, uint64_t limit,
                                 struct patterns_writer *w, uint32_t *count)
{
    struct count_limit counting = {.most = 1};
    struct log_query query = p->query;
    uint64_t total;

    query.limit = (uint32_t)limit;
    query.counting = &counting;
    if (limit == 0)
        return OK;
    enum status s = reader_query_logs(
        p->request->reader, &query, p->request->arena, &w->logs, count, &total);
    return s == OK ? OK : query_fail_read(p->request, s);
}

static enum status reply(struct log_patterns *p, uint64_t limit,
                         uint64_t examples)
{
    struct patterns_writer writer = {.patterns = p};
    uint32_t shown = p->count < limit ? p->count : (uint32_t)limit;
    struct patterns_reply view = {
        .window = &p->window,
        .total = p->total,
        .examined = p->filtered ? p->line_count : p->total,
        .truncated = p->truncated,
        .levels = level_counts(p->levels),
        .patterns = {.count = shown, .item = pattern_item, .arg = &writer},
        .examples = {.item = example_item, .arg = &writer},
        .pattern_count = p->count,
        .volume = {(double)p->bars.step_ns / (double)NS_PER_S, list_bars(p)}};
    enum status s = log_patterns_examples(p, shown);

    if (s == OK)
        s = read_examples(p, examples, &writer, &view.examples.count);
    if (s != OK)
        return s;
    if (p->count == 0)
        view.empty = empty_reply_of(
            p->request,
            &(struct empty_of){.scope = p->scope,
                               .start_ns = p->window.start_ns,
                               .end_ns = p->window.end_ns,
                               .what = "log records",
                               .signal = SIGNAL_LOGS,
                               .filtered = p->filtered || p->query.levels});
    view.link = page_link_text(
        p->request, &(struct page_link){.page = "logs",
                                        .scope = p->scope,
                                        .start_ns = p->window.start_ns,
                                        .end_ns = p->window.end_ns});
    view.took_ms = query_took_ms(p->request);
    reply_write(&p->request->json, &patterns_table, &view);
    return OK;
}

/* ---- the request ---- */

/* The smallest step of these that makes at most PATTERN_BARS bars. */
static uint64_t bar_step(uint64_t length_ns)
{
    static const uint64_t steps[] = {
        NS_PER_S,        5 * NS_PER_S,   15 * NS_PER_S,   30 * NS_PER_S,
        NS_PER_MIN,      2 * NS_PER_MIN, 5 * NS_PER_MIN,  10 * NS_PER_MIN,
        30 * NS_PER_MIN, NS_PER_HOUR,    3 * NS_PER_HOUR, 6 * NS_PER_HOUR,
        12 * NS_PER_HOUR};

    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (length_ns / steps[i] <= PATTERN_BARS)
            return steps[i];
    return NS_PER_DAY;
}

static void set_window(struct log_patterns *p)
{
    uint64_t length = p->window.end_ns - p->window.start_ns, step;

    window_init(&p->window, p->request->now_ns);
    step = bar_step(length);
    if (!p->filtered && step < NS_PER_MIN) /* they are counted by minutes */
        step = NS_PER_MIN;
    p->bars = grid_make(p->window.start_ns, p->window.end_ns, step,
                        p->request->now_ns);
    p->query.start_ns = p->window.start_ns;
    p->query.end_ns = p->window.end_ns;
}

static enum status query_patterns(struct query_request *request)
{
    struct log_patterns *p = arena_zero(request->arena, 1, sizeof(*p));
    uint64_t limit = PATTERNS, examples = EXAMPLES;
    enum status s;

    if (!p)
        return arena_status(request->arena);
    p->request = request;
    params_query_scope(request, &p->scope);
    params_query_range(request, NS_PER_HOUR, &p->window.start_ns,
                       &p->window.end_ns);
    log_params(request, &p->query, &p->ids);
    params_query_number(request, "limit", 1, PATTERNS_MAX, &limit);
    params_query_number(request, "examples", 0, PATTERN_EXAMPLES, &examples);
    if (request->failed != OK ||
        params_select(request, &p->scope, &p->query.resources) != OK)
        return request->failed;
    p->filtered = p->query.phrase.len > 0 || p->query.word_count > 0 ||
                  p->query.attr_count > 0 || p->query.trace_id ||
                  p->query.span_id;
    set_window(p);
    s = log_patterns_read(p);
    return s == OK ? reply(p, limit, examples) : s;
}

const struct route routes_log_patterns[] = {
    {"GET", "/api/v1/logs/patterns", ACTION_LOGS_VIEW, SCOPE_NARROWED,
     query_patterns, NULL, TAKES_FORM, 0, &patterns_table},
    {0},
};
