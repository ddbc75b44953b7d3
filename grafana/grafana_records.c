/*
 * The store is asked for one page after the other, until the limit is reached;
 * with filters that it cannot test itself, until enough of them fit.
 */
#include "grafana_records.h"

#include <stdio.h>
#include <string.h>

#include "array.h"

const struct slice *payload_words(const struct grafana_query *q,
                                  const char *name, uint32_t *count)
{
    struct slice text = payload_text(q, name);
    struct slice *words = NULL;
    uint32_t n = 0, room = 0;

    while ((text = slice_trim(text, PARAMS_BLANKS)).len > 0 &&
           n < PARAMS_MAX_LIST) {
        size_t end = 0;
        struct slice *word = arena_append(q->request->arena, &words, n, &room);

        if (!word)
            break;
        while (end < text.len && !strchr(PARAMS_BLANKS, text.ptr[end]))
            end++;
        *word = (struct slice){text.ptr, end};
        text = slice_from(text, end);
        n++;
    }
    *count = n;
    return words;
}

/* ---- filters ---- */

/* Names that are no attributes: of the identity and of derived labels. */
static bool is_own_name(struct slice key)
{
    static const char *const names[] = {"namespace", "project",  "environment",
                                        "component", "version",  "pod",
                                        "operation", "endpoint", "level"};

    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (slice_equal(key, slice_of(names[i])))
            return true;
    return false;
}

static bool is_of_scope(struct slice key)
{
    return is_own_name(key) && !slice_equal(key, SLICE("operation")) &&
           !slice_equal(key, SLICE("endpoint")) &&
           !slice_equal(key, SLICE("level"));
}

static bool is_match(const struct grafana_filter *f)
{
    return f->op == FILTER_IS && f->count == 1 && !f->of_resources &&
           !is_own_name(f->key);
}

bool filter_is_done(const struct grafana_filter *f)
{
    return f->of_resources || is_of_scope(f->key) || is_match(f);
}

const struct attr_match *filter_matches(const struct grafana_query *q,
                                        uint32_t *count)
{
    struct attr_match *list = NULL;
    uint32_t n = 0, room = 0;

    for (const struct grafana_filter *f = q->filters; f; f = f->next) {
        struct attr_match *match =
            is_match(f) ? arena_append(q->request->arena, &list, n, &room)
                        : NULL;

        if (!match)
            continue;
        *match = (struct attr_match){f->key, f->values[0]};
        n++;
    }
    *count = n;
    return list;
}

/* What a record has under this name. */
static struct slice text_of(struct records *r, const struct log_record *log,
                            struct slice key)
{
    const struct attr *attr = attrs_find(&log->attrs, key);
    const struct resource_info *resource;

    if (slice_equal(key, SLICE("endpoint")))
        return log->endpoint;
    if (slice_equal(key, SLICE("level")))
        return slice_of(log_level_text(log->level));
    if (attr)
        return reply_value_text(r->q->request, attr);
    resource = reply_resource(r->q->request, log->resource_id);
    attr = resource ? attrs_find(&resource->resource.attrs, key) : NULL;
    return attr ? reply_value_text(r->q->request, attr)
                : (struct slice){NULL, 0};
}

/* Of filters that are tested here. */
static bool is_tested(struct records *r, const struct grafana_filter *f)
{
    if (filter_is_done(f))
        return false;
    if (slice_equal(f->key, SLICE("operation"))) {
        r->not_applied = grafana_cstr(r->q->request->arena, f->key);
        return false;
    }
    return true;
}

static bool fits(struct records *r, const struct log_record *log)
{
    for (const struct grafana_filter *f = r->q->filters; f; f = f->next) {
        const char *key =
            is_tested(r, f) ? grafana_cstr(r->q->request->arena, f->key) : NULL;

        if (key && !query_fits(r->q, key, text_of(r, log, f->key)))
            return false;
    }
    return true;
}

static bool any_tested(struct records *r)
{
    bool any = false;

    for (const struct grafana_filter *f = r->q->filters; f; f = f->next)
        any |= is_tested(r, f);
    return any;
}

/* ---- reading ---- */

static void go_on_after(struct records *r, const struct log_record *log)
{
    r->last = (struct list_position){.time_ns = log->time_ns,
                                     .key_len = POSITION_NUMBER};
    list_number(r->last.key, log->arrival);
    if (r->query.ascending)
        r->query.range.after = &r->last;
    else
        r->query.range.before = &r->last;
}

/* Keeps those that fit; one above the limit says that there are more. */
static void keep(struct records *r, const struct log_record *logs,
                 uint32_t count, bool tested)
{
    for (uint32_t i = 0; i < count && !r->more; i++) {
        const struct log_record **at;

        if (tested && !fits(r, &logs[i]))
            continue;
        r->more = r->count == r->limit;
        if (r->more)
            break;
        at = arena_append(r->q->request->arena, &r->at, r->count, &r->room);
        if (!at)
            return;
        *at = &logs[i];
        r->count++;
    }
}

enum status records_read(struct records *r)
{
    struct query_request *request = r->q->request;
    struct log_query *query = &r->query;
    bool tested = any_tested(r);
    uint32_t seen = 0, count;

    query->start_ns = r->q->start_ns;
    query->end_ns = r->q->end_ns;
    query->resources = r->q->sent;
    query->attrs = filter_matches(r->q, &query->attr_count);
    query->limit = r->limit + 1;
    r->counting = (struct count_limit){.most = r->limit + 1};
    query->counting = &r->counting;
    do {
        struct log_record *logs;
        uint64_t total;
        enum status s = reader_query_logs(
            request->reader, query, request->arena, &logs, &count, &total);

        if (s != OK)
            return query_fail_read(request, s);
        keep(r, logs, count, tested);
        seen += count;
        if (count > 0)
            go_on_after(r, &logs[count - 1]);
        r->gave_up = seen >= RECORDS_TESTED;
    } while (tested && !r->more && !r->gave_up && count == query->limit &&
             arena_status(request->arena) == OK);
    r->gave_up &= !r->more && count == query->limit;
    return OK;
}

/* By what a family filters. */
static bool is_filtered(const struct log_query *query)
{
    return query->levels > 0 || query->phrase.len > 0 ||
           query->word_count > 0 || query->trace_id || query->span_id ||
           query->attr_count > 0;
}

void records_notices(const struct records *r, struct grafana_frame *frame,
                     const char *what, enum signal signal)
{
    const char *order = r->query.ascending ? "first" : "last";
    char matching[80];

    snprintf(matching, sizeof(matching), "%s that match", what);
    if (r->not_applied)
        frame_notice(frame, NOTICE_WARNING,
                     "%s do not have %s: the filter is not applied", what,
                     r->not_applied);
    if (r->gave_up)
        frame_notice(frame, NOTICE_WARNING,
                     "only the %s %d %s were tested with the filters; narrow "
                     "the time range",
                     order, RECORDS_TESTED, what);
    else if (r->count == 0)
        query_empty(r->q, frame, is_filtered(&r->query) ? matching : what,
                    signal);
    if (r->more)
        frame_notice(frame, NOTICE_INFO,
                     "the %s %u %s; raise limit or narrow the time range to "
                     "see more",
                     order, r->limit, what);
}

void note_narrowed(const struct grafana_query *q, struct grafana_frame *frame)
{
    if (q->narrowed)
        frame_notice(frame, NOTICE_WARNING,
                     "these numbers are of whole components: filters on pods, "
                     "versions and attributes are not applied");
}
