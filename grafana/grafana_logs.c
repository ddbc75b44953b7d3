/*
 * Log lines, their volume and their templates. Lines are read from the store,
 * volume and templates from derived series.
 */
#include <stdio.h>
#include <strings.h>

#include "clock.h"
#include "derived.h"
#include "grafana_columns.h"
#include "grafana_handlers.h"
#include "grafana_records.h"
#include "hex.h"
#include "log_templates.h"
#include "reply_metrics.h"

enum {
    LINES = 200, /* unless the payload says */
    LINES_MAX = 5000,
    LABELS_MAX = 64 /* of a line */
};

/* ---- levels: Grafana's names, colours and what a filter selects ---- */

static const struct {
    const char *name, *color;
    struct slice derived; /* of DERIVED_LEVEL */
    uint32_t levels;
} level_rows[] = {
    {"fatal", "dark-purple", SLICE_INIT("FATAL"), 1u << LEVEL_FATAL},
    {"error", "red", SLICE_INIT("ERROR"), 1u << LEVEL_ERROR},
    {"warn", "orange", SLICE_INIT("WARN"), 1u << LEVEL_WARN},
    /* A record without any level is shown as info. */
    {"info", "green", SLICE_INIT("INFO"), 1u << LEVEL_INFO | 1u << LEVEL_UNSET},
    {"debug", "blue", SLICE_INIT("DEBUG"), 1u << LEVEL_DEBUG},
    {"trace", "light-blue", SLICE_INIT("TRACE"), 1u << LEVEL_TRACE},
};
enum { LEVELS = sizeof(level_rows) / sizeof(*level_rows), LEVEL_INFO_ROW = 3 };

const char *log_level_text(uint8_t level)
{
    for (size_t i = 0; i < LEVELS; i++)
        if (level_rows[i].levels >> level & 1)
            return level_rows[i].name;
    return "unknown";
}

static bool is_word(struct slice text, const char *word)
{
    return text.len == strlen(word) &&
           strncasecmp(text.ptr, word, text.len) == 0;
}

/* Other words that people write for a level. */
static size_t level_row(struct slice text)
{
    static const struct {
        const char *word, *name;
    } others[] = {{"warning", "warn"},
                  {"critical", "fatal"},
                  {"err", "error"},
                  {"information", "info"}};
    size_t row = 0;

    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
        if (is_word(text, others[i].word))
            text = slice_of(others[i].name);
    while (row < LEVELS && !is_word(text, level_rows[row].name))
        row++;
    return row;
}

/* 0: all levels. */
static enum status read_levels(struct grafana_query *q, uint32_t *levels)
{
    uint32_t count;
    const struct slice *words = payload_texts(q, "level", &count);

    *levels = 0;
    for (uint32_t i = 0; i < count; i++) {
        size_t row = level_row(words[i]);

        if (row == LEVELS)
            return query_refuse(q,
                                "level must be any of fatal, error, warn, "
                                "info, debug, trace; not \"%.*s\"",
                                (int)min_u64(words[i].len, 40), words[i].ptr);
        *levels |= level_rows[row].levels;
    }
    return OK;
}

/* ---- log_volume ---- */

/* Bars, stacked. NULL: the arena is full. */
static struct grafana_field *volume_frame(struct grafana_query *q,
                                          const struct grid *grid, size_t row)
{
    static const struct slice bars =
        SLICE_INIT("{\"drawStyle\":\"bars\",\"fillOpacity\":80,\"lineWidth\":0,"
                   "\"stacking\":{\"mode\":\"normal\",\"group\":\"A\"}}");
    struct slice name = slice_of(level_rows[row].name);
    struct grafana_frame *frame = query_frame(q, name);
    struct grafana_field *time = frame_field(frame, "time", FIELD_TIME);
    struct grafana_field *count = frame_field(frame, "records", FIELD_NUMBER);

    if (!time || !count)
        return NULL;
    frame->type = "timeseries-multi";
    frame->visual = "graph";
    count->unit = "short";
    count->color = level_rows[row].color;
    count->display_name = name;
    count->custom = bars;
    field_label(count, "level", name);
    frame_rows(frame, grid->count);
    for (uint32_t i = 0; i < grid->count; i++)
        field_time_at(time, i, grid_time(grid, i));
    return count;
}

static const struct metric_group *level_group(const struct metric_table *table,
                                              struct slice level)
{
    for (uint32_t i = 0; i < table->count; i++)
        if (slice_equal(metric_label(table->groups[i], 0), level))
            return table->groups[i];
    return NULL;
}

static bool add_volume(struct grafana_query *q,
                       const struct metric_table *table,
                       const struct metric_expr *logged, size_t row)
{
    const struct metric_group *group =
        level_group(table, level_rows[row].derived);
    struct grafana_field *count =
        group ? volume_frame(q, &table->grid, row) : NULL;

    for (uint32_t i = 0; count && i < table->grid.count; i++) {
        double value = metric_value(table, group, logged, i);

        field_number_at(count, i, value > 0 ? value : 0);
    }
    return group != NULL;
}

/* From the derived series, which have no text: all records of the levels. */
static enum status volume_of_levels(struct grafana_query *q,
                                    const struct grid *grid, uint32_t levels)
{
    static const char *const by[] = {DERIVED_LEVEL, NULL};
    static const struct slice logs = SLICE_INIT(DERIVED_LOGS);
    const struct metric_expr logged = {
        EXPR_INCREASE, .select = {.names = &logs, .name_count = 1}};
    struct metric_table table, *tables = &table;
    bool any = false;
    enum status s;

    metric_table_init(&table, q->request->arena, grid, by);
    (void)metric_table_add(&table, &logged); /* one fits */
    s = read_metrics(q->request, q->resources, NULL, &tables, 1);
    if (s != OK)
        return s;
    for (size_t i = LEVELS; i-- > 0;) /* the worst on top */
        if (levels == 0 || levels & level_rows[i].levels)
            any |= add_volume(q, &table, &logged, i);
    if (!any)
        query_empty(q, query_frame(q, SLICE("log volume")), "log records",
                    SIGNAL_LOGS);
    return OK;
}

/* ---- log_volume of a search: the records that match are counted ---- */

struct volume_counts {
    double *cells[LEVELS]; /* NULL: no record */
};

static void count_record(struct volume_counts *counts, struct arena *arena,
                         const struct grid *grid, const struct log_record *log)
{
    size_t row = level_row(slice_of(log_level_text(log->level)));
    struct grid_part part = grid_parts(grid, log->time_ns, log->time_ns + 1);

    if (row == LEVELS || !grid_next(grid, &part))
        return;
    if (!counts->cells[row])
        counts->cells[row] = arena_zero(arena, grid->count, sizeof(double));
    if (counts->cells[row])
        counts->cells[row][part.cell]++;
}

static enum status volume_of_search(struct grafana_query *q,
                                    const struct grid *grid, uint32_t levels,
                                    struct slice phrase)
{
    struct records records = {
        .q = q,
        .query = {.levels = levels, .phrase = phrase, .brief = true},
        .limit = RECORDS_TESTED};
    struct volume_counts counts = {{NULL}};
    struct grafana_frame *frame;
    enum status s = records_read(&records);

    if (s != OK)
        return s;
    for (uint32_t i = 0; i < records.count; i++)
        count_record(&counts, q->request->arena, grid, records.at[i]);
    for (size_t row = LEVELS; row-- > 0;) {
        struct grafana_field *field =
            counts.cells[row] ? volume_frame(q, grid, row) : NULL;

        for (uint32_t i = 0; field && i < grid->count; i++)
            field_number_at(field, i, counts.cells[row][i]);
    }
    frame = q->frames->first;
    while (frame && !slice_equal(frame->ref_id, q->ref_id))
        frame = frame->next;
    if (!frame)
        frame = query_frame(q, SLICE("log volume"));
    records_notices(&records, frame, "log records", SIGNAL_LOGS);
    return OK;
}

enum status grafana_log_volume(struct grafana_query *q)
{
    const struct grid grid = query_grid(q, NS_PER_MIN);
    struct slice phrase = payload_text(q, "search");
    uint32_t levels, attrs;
    enum status s = read_levels(q, &levels);

    if (s != OK)
        return s;
    (void)filter_matches(q, &attrs);
    return phrase.len > 0 || attrs > 0 || q->narrowed
               ? volume_of_search(q, &grid, levels, phrase)
               : volume_of_levels(q, &grid, levels);
}

/* ---- log_templates ---- */

enum {
    TEMPLATE_TEXT,
    TEMPLATE_LEVEL,
    TEMPLATE_COUNT,
    TEMPLATE_BEFORE,
    TEMPLATE_NEW,
    TEMPLATE_FIRST,
    TEMPLATE_LAST,
    TEMPLATE_ID,
    TEMPLATE_COLUMNS
};
static const struct column template_columns[TEMPLATE_COLUMNS] = {
    {"template", FIELD_STRING, NULL, "Template", NULL,
     "The constant part of log messages; <*> stands for what differs"},
    {"level", FIELD_STRING, NULL, "Level", NULL, NULL},
    {"count", FIELD_NUMBER, "short", "Records", NULL, NULL},
    {"before", FIELD_NUMBER, "short", "Before", NULL,
     "In the time of equal length before the range"},
    {"new", FIELD_BOOL, NULL, "New", NULL, "None in the time before"},
    {"firstSeen", FIELD_TIME, NULL, "First", NULL, NULL},
    {"lastSeen", FIELD_TIME, NULL, "Last", NULL, NULL},
    {"templateId", FIELD_STRING, NULL, "Id", NULL, NULL},
};

static void add_template(struct grafana_field **f,
                         const struct template_item *item)
{
    size_t row = level_row(item->level);

    field_text(f[TEMPLATE_TEXT], item->log.text);
    field_text(f[TEMPLATE_LEVEL],
               slice_of(level_rows[row < LEVELS ? row : LEVEL_INFO_ROW].name));
    field_number(f[TEMPLATE_COUNT], item->count);
    field_number(f[TEMPLATE_BEFORE], item->before);
    field_bool(f[TEMPLATE_NEW], item->new);
    field_time(f[TEMPLATE_FIRST], item->log.first_ns);
    field_time(f[TEMPLATE_LAST], item->log.last_ns);
    field_text(f[TEMPLATE_ID], item->id);
}

static bool is_level(uint32_t levels, struct slice name)
{
    size_t row = level_row(name);

    return levels == 0 || (row < LEVELS && levels & level_rows[row].levels);
}

enum status grafana_log_templates(struct grafana_query *q)
{
    uint32_t limit = payload_number(q, "limit", 50, 1000), levels;
    struct window window = {.start_ns = q->start_ns, .end_ns = q->end_ns};
    struct grafana_field *f[TEMPLATE_COLUMNS];
    struct grafana_frame *frame;
    struct metric_group **sorted;
    struct log_templates t;
    struct metric_table *tables[] = {&t.now, &t.before};
    uint32_t rows = 0;
    enum status s = read_levels(q, &levels);

    if (s != OK)
        return s;
    window_init(&window, q->request->now_ns);
    log_templates_init(&t, q->request, &window);
    s = read_metrics(q->request, q->resources, NULL, tables, 2);
    if (s != OK)
        return s;
    frame = FRAME_COLUMNS(q, "log templates", template_columns, f);
    sorted = metric_sorted(&t.now, &t.logged);
    for (uint32_t i = 0; sorted && i < t.now.count; i++) {
        struct template_item item;

        if (!template_item_fill(&item, &t, sorted[i]) ||
            !is_level(levels, item.level))
            continue;
        if (++rows > limit)
            continue;
        frame_row(frame);
        add_template(f, &item);
    }
    if (rows == 0)
        query_empty(q, frame, "log records", SIGNAL_LOGS);
    note_narrowed(q, frame);
    if (rows > limit)
        frame_notice(frame, NOTICE_INFO,
                     "the %u most frequent of %u templates; raise limit to "
                     "see more",
                     limit, rows);
    return OK;
}

/* ---- logs ---- */

enum {
    LINE_TIME,
    LINE_BODY,
    LINE_SEVERITY,
    LINE_ID,
    LINE_LABELS,
    LINE_TRACE,
    LINE_SPAN,
    LINE_COLUMNS
};
static const struct column line_columns[LINE_COLUMNS] = {
    {"timestamp", FIELD_TIME, NULL, NULL, NULL, NULL},
    {"body", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"severity", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"id", FIELD_STRING, NULL, NULL, NULL, NULL},
    {"labels", FIELD_OTHER, NULL, NULL, NULL, NULL},
    {"traceID", FIELD_STRING, NULL, "Trace", NULL, NULL},
    {"spanID", FIELD_STRING, NULL, "Span", NULL, NULL},
};

struct label_list {
    struct attr at[LABELS_MAX];
    uint32_t count;
};

static void add_label(struct label_list *labels, const char *key,
                      struct slice value)
{
    if (value.len > 0 && labels->count < LABELS_MAX)
        labels->at[labels->count++] = attr_string(key, value);
}

/* {"component": "cart", ...}: Grafana takes texts only. */
static struct slice labels_of(struct grafana_query *q,
                              const struct log_record *log,
                              const struct resource_info *resource)
{
    const struct identity *identity = &resource->identity;
    struct label_list labels = {.count = 0};
    struct json_text text;

    add_label(&labels, "namespace", identity->namespace);
    add_label(&labels, "project", identity->project);
    add_label(&labels, "environment", identity->environment);
    add_label(&labels, "component", identity->component);
    add_label(&labels, "endpoint", log->endpoint);
    add_label(&labels, "pod",
              reply_attr(&log->attrs, resource, "k8s.pod.name"));
    add_label(&labels, "container",
              reply_attr(&log->attrs, resource, "k8s.container.name"));
    add_label(&labels, "version",
              reply_attr(&log->attrs, resource, "service.version"));
    add_label(&labels, "event", log->event_name);
    for (uint32_t i = 0; i < log->attrs.count && labels.count < LABELS_MAX;
         i++) {
        struct attr *label = &labels.at[labels.count];
        const struct attr *attr = &log->attrs.at[i];
        struct slice value = reply_value_text(q->request, attr);

        *label = *attr;
        label->type = VALUE_STRING;
        label->str = value.ptr;
        label->len = (uint32_t)value.len;
        labels.count += value.len > 0;
    }
    jsonw_attrs(json_text_begin(&text, q->request),
                &(struct attrs){labels.at, labels.count, 0});
    return json_text_take(&text, q->request->arena);
}

static void add_line(struct grafana_query *q, struct grafana_field **f,
                     const struct log_record *log)
{
    const struct resource_info *resource =
        reply_resource(q->request, log->resource_id);
    struct arena *arena = q->request->arena;

    if (!resource)
        return; /* the arena is full: this answer is replaced */
    field_time(f[LINE_TIME], log->time_ns);
    field_text(f[LINE_BODY], reply_value_text(q->request, &log->body));
    field_text(f[LINE_SEVERITY], slice_of(log_level_text(log->level)));
    /* The position of a record does not change. */
    field_text(f[LINE_ID], arena_format(arena, "%016llx-%016llx",
                                        (unsigned long long)log->time_ns,
                                        (unsigned long long)log->arrival));
    field_json(f[LINE_LABELS], labels_of(q, log, resource));
    if (!id_is_zero(log->trace_id, sizeof(log->trace_id)))
        field_text(f[LINE_TRACE],
                   hex_text(arena, log->trace_id, sizeof(log->trace_id)));
    if (!id_is_zero(log->span_id, sizeof(log->span_id)))
        field_text(f[LINE_SPAN],
                   hex_text(arena, log->span_id, sizeof(log->span_id)));
}

static enum status read_ids(struct grafana_query *q, struct log_query *query,
                            uint8_t trace_id[16], uint8_t span_id[8])
{
    struct slice trace = payload_text(q, "trace_id");
    struct slice span = payload_text(q, "span_id");

    if (trace.len > 0 && !hex_trace_id(trace, trace_id))
        return query_refuse(q, "trace_id must be 32 hexadecimal digits");
    if (span.len > 0 && !hex_bytes(span, span_id, 8))
        return query_refuse(q, "span_id must be 16 hexadecimal digits");
    query->trace_id = trace.len > 0 ? trace_id : NULL;
    query->span_id = span.len > 0 ? span_id : NULL;
    return OK;
}

enum status grafana_logs(struct grafana_query *q)
{
    struct records records = {
        .q = q, .limit = payload_number(q, "limit", LINES, LINES_MAX)};
    struct log_query *query = &records.query;
    struct grafana_field *f[LINE_COLUMNS];
    struct grafana_frame *frame;
    uint8_t trace_id[16], span_id[8];
    enum status s = read_levels(q, &query->levels);

    if (s == OK)
        s = read_ids(q, query, trace_id, span_id);
    if (s != OK)
        return s;
    query->phrase = payload_text(q, "search");
    query->words = payload_words(q, "words", &query->word_count);
    query->ascending = slice_equal(payload_text(q, "order"), SLICE("asc"));
    s = records_read(&records);
    if (s != OK)
        return s;
    frame = FRAME_COLUMNS(q, "logs", line_columns, f);
    if (!frame)
        return OK; /* the arena is full */
    frame->type = "log-lines";
    frame->visual = "logs";
    link_row_trace(f[LINE_TRACE]);
    for (uint32_t i = 0; i < records.count; i++) {
        frame_row(frame);
        add_line(q, f, records.at[i]);
    }
    records_notices(&records, frame, "log records", SIGNAL_LOGS);
    return OK;
}
