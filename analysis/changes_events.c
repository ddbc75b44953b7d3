/*
 * Changes that are events: versions and images as the correlator found them,
 * releases of the control plane, and what Kubernetes tells.
 */
#include <string.h>

#include "changes.h"
#include "component.h"
#include "derived.h"
#include "event_reply.h"
#include "event_rules.h"
#include "store.h"
#include "template.h"

enum { MAX_READ = 2000, MAX_TITLE = 200 };

/* ---- which kind of change an event is ---- */

/* By the class of its rule, or by its reason. Normal events that are in neither
 * (Scheduled, Created, Started ...) are no changes. */
static const struct {
    struct slice name, kind;
} kinds_of[] = {
    {SLICE_INIT("memory"), SLICE_INIT("oom")},
    {SLICE_INIT("image"), SLICE_INIT("image-pull")},
    {SLICE_INIT("ScalingReplicaSet"), SLICE_INIT("scaling")},
    {SLICE_INIT("SuccessfulRescale"), SLICE_INIT("scaling")},
    {SLICE_INIT("Reloaded"), SLICE_INIT("config")},
    {SLICE_INIT("OperationCompleted"), SLICE_INIT("release")},
    {SLICE_INIT("DeploymentStarted"), SLICE_INIT("release")},
    {SLICE_INIT("DeploymentSucceeded"), SLICE_INIT("release")},
    {SLICE_INIT("DeploymentFailed"), SLICE_INIT("release")},
    {SLICE_INIT("DeploymentRecovered"), SLICE_INIT("release")},
    {SLICE_INIT("Pulled"), SLICE_INIT("image-pull")},
    {SLICE_INIT("Killing"), SLICE_INIT("pod")},
    {SLICE_INIT("SuccessfulCreate"), SLICE_INIT("scaling")},
    {SLICE_INIT("SuccessfulDelete"), SLICE_INIT("scaling")},
    {SLICE_INIT("RollingUpdate"), SLICE_INIT("release")},
    {SLICE_INIT("DeploymentRollback"), SLICE_INIT("release")},
};
enum { KINDS_OF = sizeof(kinds_of) / sizeof(*kinds_of), FIRST_REASON = 2 };

static struct slice kind_named(struct slice name)
{
    for (size_t i = 0; i < KINDS_OF; i++)
        if (slice_equal(name, kinds_of[i].name))
            return kinds_of[i].kind;
    return (struct slice){NULL, 0};
}

/* Empty: it is no change. */
static struct slice kind_of(const struct change_row *row,
                            const struct event_rule *rule)
{
    struct slice kind = kind_named(row->reason), class;

    if (!rule)
        return kind.len > 0 || slice_equal(row->type, SLICE("Normal"))
                   ? kind
                   : SLICE("event");
    class = slice_of(rule->class);
    if (slice_equal(class, SLICE("change")))
        return kind.len > 0 ? kind : SLICE("event");
    kind = kind_named(class);
    return kind.len > 0                                ? kind
           : change_row_kind(class) < CHANGE_ROW_KINDS ? class
                                                       : SLICE("event");
}

/* ---- from what to what ---- */

/* The word after this text; empty: it does not occur. */
static struct slice word_after(struct slice text, struct slice before)
{
    for (size_t at = 0; at + before.len < text.len; at++) {
        struct slice rest = slice_from(text, at + before.len);
        size_t len = 0;

        if (!bytes_equal(text.ptr + at, before.ptr, before.len))
            continue;
        while (len < rest.len && !memchr(" ;,\"", rest.ptr[len], 4))
            len++;
        return (struct slice){rest.ptr, len};
    }
    return (struct slice){NULL, 0};
}

static bool is_count(struct slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
    return text.len > 0;
}

/* "Scaled up replica set cart-6c9 from 1 to 3", "New size: 5; reason: ...",
 * "Successfully pulled image "cart:1.5" in 2s". */
static void set_ends(struct change_row *row)
{
    struct slice to = word_after(row->message, SLICE(" to "));
    struct slice from = word_after(row->message, SLICE(" from "));

    if (slice_equal(row->kind, SLICE("image-pull"))) {
        row->to = word_after(row->message, SLICE("image \""));
    } else if (slice_equal(row->kind, SLICE("scaling"))) {
        if (!is_count(to))
            to = word_after(row->message, SLICE("New size: "));
        row->to = is_count(to) ? to : row->to;
        row->from = is_count(from) ? from : row->from;
    }
}

/* ---- a row ---- */

static void set_title(struct change_row *row, struct arena *arena,
                      const struct event_rule *rule)
{
    const char *says = rule ? rule->says : NULL;

    if (says && rule->is_quoted && row->message.len > 0)
        row->title =
            arena_format(arena, "%s: %.*s", says, SLICE_ARGS(row->message));
    else if (says && !slice_equal(row->kind, SLICE("release")))
        row->title = slice_of(says);
    else
        row->title = row->message;
    if (row->title.len == 0)
        row->title = row->reason.len > 0 ? row->reason : row->kind;
    row->title = slice_truncate(row->title, MAX_TITLE);
}

/* Texts that differ in numbers and names of pods are one. */
static uint64_t key_of(const struct change_row *row)
{
    struct template_split split;
    uint64_t key = key_identity(1, row->identity);

    key = key_text(key_text(key, row->kind), row->reason);
    key = key_text(key_text(key, row->from), row->to);
    key = key_text(key_text(key, row->release), row->phase);
    template_split(row->message, &split);
    return key_text(key, (struct slice){split.text, split.len});
}

static bool add_event(struct change_list *list, const struct log_record *log)
{
    struct query_request *request = list->request;
    struct change_item item;
    struct event_view view;
    struct change_row row = {.time_ns = log->time_ns,
                             .last_ns = log->time_ns,
                             .count = 1,
                             .source = "events"};
    const struct event_rule *rule;

    if (!event_view_fill(&view, request, log))
        return false;
    change_item_fill(&item, request, log);
    row.identity = view.metadata.identity;
    row.type = item.type;
    row.message = item.message;
    row.from = item.from;
    row.to = item.to;
    row.release = item.release;
    row.commit = item.commit;
    row.phase = item.phase;
    row.reason = view.entry.reason;
    row.object_kind = view.metadata.kind;
    row.object_name = view.metadata.name;
    rule = event_rule_find(row.reason, row.message);
    row.kind = slice_equal(item.kind, SLICE("kubernetes")) ? kind_of(&row, rule)
                                                           : item.kind;
    if (row.kind.len == 0)
        return true;
    set_ends(&row);
    set_title(&row, request->arena, rule);
    row.key = key_of(&row);
    return changes_add(list, &row);
}

/* ---- reading ---- */

static struct attr_match *wanted_events(struct change_list *list,
                                        uint32_t *count)
{
    static const struct slice kinds[] = {
        SLICE_INIT("version"), SLICE_INIT("image"), SLICE_INIT("pod-template"),
        SLICE_INIT("release")};
    struct slice reasons[EVENT_MAX_REASONS];
    uint32_t n = event_rule_reasons(reasons);
    struct attr_match *any =
        arena_alloc(list->request->arena, (n + 4 + KINDS_OF) * sizeof(*any));

    *count = 0;
    for (uint32_t i = 0; any && i < n; i++)
        any[(*count)++] =
            (struct attr_match){SLICE("k8s.event.reason"), reasons[i]};
    for (uint32_t i = FIRST_REASON; any && i < KINDS_OF; i++)
        any[(*count)++] =
            (struct attr_match){SLICE("k8s.event.reason"), kinds_of[i].name};
    for (uint32_t i = 0; any && i < 4; i++)
        any[(*count)++] =
            (struct attr_match){SLICE(DERIVED_CHANGE_KIND), kinds[i]};
    return any;
}

static enum status read_some(struct change_list *list, struct log_query *query,
                             bool warnings)
{
    struct count_limit counting = {.most = 1}; /* the total is not used */
    struct log_record *logs;
    uint32_t count;
    uint64_t total;
    enum status s;

    query->counting = &counting;
    s = reader_query_logs(list->request->reader, query, list->request->arena,
                          &logs, &count, &total);
    if (s != OK)
        return query_fail_read(list->request, s);
    if (count == MAX_READ) {
        list->truncated = true;
        if (logs[count - 1].time_ns > list->known_from_ns)
            list->known_from_ns = logs[count - 1].time_ns;
    }
    for (uint32_t i = 0; i < count; i++) {
        bool warns = logs[i].level >= LEVEL_WARN;

        /* Those that warn and have a reason are found by both queries. */
        if (warns == warnings && !add_event(list, &logs[i]))
            return arena_status(list->request->arena);
    }
    return OK;
}

enum status changes_read_events(struct change_list *list)
{
    struct log_query query = {.start_ns = list->start_ns,
                              .end_ns = list->end_ns,
                              .resources = list->resources,
                              .events = true,
                              .limit = MAX_READ};
    enum status s;

    query.any = wanted_events(list, &query.any_count);
    if (!query.any)
        return arena_status(list->request->arena);
    s = read_some(list, &query, false);
    if (s != OK)
        return s;
    query.any = NULL;
    query.any_count = 0;
    query.levels = 1u << LEVEL_WARN | 1u << LEVEL_ERROR | 1u << LEVEL_FATAL;
    return read_some(list, &query, true);
}
