/*
 * Every member follows from the ranking: root causes are the suspects that
 * stand out, findings their evidence, the timeline what has a time, excluded
 * causes those that another explains.
 */
#include "rca_report.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"

enum { MAX_CAUSES = 3, MAX_TIMELINE = 20, MAX_ACTIONS = 3 };
/* A second suspect with less than this part of the first is no cause beside
 * it. */
static const double BESIDE = 0.5;

/* What to do, around the name. */
static const char *const advice[EVIDENCE_KINDS][2] = {
    [EVIDENCE_RESOURCE] = {"Raise the limit of ",
                           ", add replicas, or find what uses so much"},
    [EVIDENCE_NETWORK] = {"Look at the network and the node of ",
                          ": calls wait on the way"},
    [EVIDENCE_BEHAVIOUR] =
        {"Look at the code of ",
         " at the statement named, and at its latest changes"},
    [EVIDENCE_LATENCY] = {"Profile ", ", and look at what it waits for"},
    [EVIDENCE_ERRORS] = {"Look at the failed requests of ", ""},
    [EVIDENCE_SILENCE] = {"Look whether the pods of ", " run and are ready"},
    [EVIDENCE_METRIC] = {"Look at what ", " waits for, and what waits for it"},
    [EVIDENCE_CHANGE] = {"Consider to roll back the change of ", ""}};

static struct slice name_of(const struct cause_report *report, uint32_t c)
{
    return report->components[c].component;
}

static void text_member(struct jsonw *w, const char *key, const char *text)
{
    jsonw_member_text(w, key, slice_of(text));
}

/* A sentence in the arena. */
static struct slice sentence(struct query_request *request, const char *format,
                             ...) __attribute__((format(printf, 2, 3)));
static struct slice sentence(struct query_request *request, const char *format,
                             ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    int len = vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    if (len >= (int)sizeof(text))
        len = (int)sizeof(text) - 1;
    return arena_copy(request->arena, (struct slice){text, (size_t)len});
}

/* The portal makes links of these; databases and hosts have no page. */
static struct slice linked(struct query_request *request,
                           const struct cause_report *report, uint32_t c)
{
    struct slice name = name_of(report, c);

    return report->parties[c] == CANDIDATE_COMPONENT
               ? sentence(request, "<comp:%.*s>", (int)name.len, name.ptr)
               : name;
}

struct slice rca_report_summary(struct query_request *request,
                                const struct cause_report *report)
{
    if (!report->found)
        return SLICE("Nothing stands out in the window.");
    struct slice name = linked(request, report, report->suspects[0].component);
    return sentence(request, "%.*s is the likely cause. %.*s", (int)name.len,
                    name.ptr, (int)report->cause.len, report->cause.ptr);
}

/* ---- findings ---- */

/* A line that is new; one that is gone has no time. */
static bool has_new_line(const struct cause_evidence *e)
{
    const struct cause_numbers *n = &e->numbers;

    return e->kind == EVIDENCE_BEHAVIOUR && e->line.len > 0 &&
           e->onset_ns > 0 && n->after * n->before_of > n->before * n->after_of;
}

static void write_line(struct jsonw *w, uint64_t time_ns, struct slice level,
                       struct slice text)
{
    jsonw_open(w, '{');
    jsonw_member_time(w, "timestamp", time_ns);
    jsonw_member_text(w, "level", level);
    jsonw_member_text(w, "log", text);
    jsonw_close(w, '}');
}

static void write_evidence(struct jsonw *w, const struct cause_evidence *e)
{
    jsonw_key(w, "evidence");
    jsonw_open(w, '{');
    if (has_new_line(e)) { /* of lines only errors count as new */
        text_member(w, "type", "log");
        jsonw_key(w, "log_lines");
        jsonw_open(w, '[');
        write_line(w, e->onset_ns, SLICE("ERROR"), e->line);
        jsonw_close(w, ']');
    } else if (e->trace_count > 0) {
        text_member(w, "type", "trace");
        jsonw_key(w, "trace_id");
        jsonw_hex(w, e->traces[0], 16);
        jsonw_member_text(w, "summary", e->text);
        jsonw_member_bool(w, "is_error",
                          e->kind == EVIDENCE_ERRORS ||
                              e->kind == EVIDENCE_BEHAVIOUR);
    } else {
        text_member(w, "type", "metric");
        jsonw_member_text(w, "summary", e->text);
    }
    jsonw_close(w, '}');
}

static void open_finding(struct jsonw *w, struct slice observation,
                         struct slice component, uint64_t start_ns,
                         uint64_t end_ns)
{
    jsonw_open(w, '{');
    jsonw_member_text(w, "observation", observation);
    jsonw_member_text(w, "component", component);
    jsonw_key(w, "time_range");
    jsonw_open(w, '{');
    jsonw_member_time(w, "start", start_ns);
    jsonw_member_time(w, "end", end_ns);
    jsonw_close(w, '}');
}

/* What the first suspect complains of. */
static void write_complaints(struct jsonw *w, const struct cause_report *report)
{
    if (report->line_count == 0)
        return;
    open_finding(w, SLICE("It logs more warnings and errors than before"),
                 name_of(report, report->suspects[0].component),
                 report->lines[0].time_ns, report->window.end_ns);
    jsonw_key(w, "evidence");
    jsonw_open(w, '{');
    text_member(w, "type", "log");
    jsonw_key(w, "log_lines");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < report->line_count; i++)
        write_line(w, report->lines[i].time_ns,
                   report->lines[i].level >= LEVEL_ERROR ? SLICE("ERROR")
                                                         : SLICE("WARN"),
                   report->lines[i].text);
    jsonw_close(w, ']');
    jsonw_close(w, '}');
    jsonw_close(w, '}');
}

/* How it reaches users, and how much. */
static struct slice analysis(struct query_request *request,
                             const struct cause_report *report)
{
    struct slice text = SLICE("");

    for (uint32_t i = 0; i < report->path_count && report->path_count > 1;
         i++) {
        struct slice name = linked(request, report, report->path[i].component);

        text = sentence(request, "%.*s%s%.*s", (int)text.len, text.ptr,
                        i == 0 ? "It reaches users by way of " : ", ",
                        (int)name.len, name.ptr);
    }
    return sentence(request, "%.*s%sImpact: %.*s", (int)text.len, text.ptr,
                    text.len ? ". " : "", (int)report->impact.len,
                    report->impact.ptr);
}

static void write_cause(struct query_request *request,
                        const struct cause_report *report,
                        const struct cause_suspect *s)
{
    struct jsonw *w = &request->json;
    double share = report->confidence * s->score / report->suspects[0].score;
    bool first = s == report->suspects;

    jsonw_open(w, '{');
    jsonw_member_text(w, "summary", s->evidence[0].text);
    text_member(w, "confidence",
                share > 0.6 && s->score >= 3 ? "high"
                : share > 0.35               ? "medium"
                                             : "low");
    jsonw_member_text(w, "analysis",
                      first ? analysis(request, report) : s->evidence[0].text);
    jsonw_key(w, "supporting_findings");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < s->evidence_count; i++) {
        const struct cause_evidence *e = &s->evidence[i];

        open_finding(w, e->text, name_of(report, s->component),
                     e->onset_ns ? e->onset_ns : report->window.start_ns,
                     report->window.end_ns);
        write_evidence(w, e);
        jsonw_close(w, '}');
    }
    if (first)
        write_complaints(w, report);
    jsonw_close(w, ']');
    jsonw_close(w, '}');
}

/* ---- timeline ---- */

struct moment {
    uint64_t time_ns;
    struct slice component, event;
};

static int by_time(const void *left, const void *right)
{
    const struct moment *a = left, *b = right;

    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    int o = slice_compare(a->component, b->component);
    return o ? o : slice_compare(a->event, b->event);
}

struct moments {
    struct moment at[MAX_TIMELINE];
    uint32_t count;
};

static void add_moment(struct moments *list, uint64_t time_ns,
                       struct slice component, struct slice event)
{
    if (time_ns && list->count < MAX_TIMELINE)
        list->at[list->count++] = (struct moment){time_ns, component, event};
}

static void write_timeline(struct jsonw *w, const struct rca_alert *alert,
                           const struct cause_report *report)
{
    struct moments list = {.count = 0};

    add_moment(&list, alert->time_ns, alert->component, SLICE("the alert"));
    for (uint32_t i = 0; i < report->change_count; i++)
        add_moment(&list, report->changes[i].time_ns,
                   name_of(report, report->changes[i].component),
                   report->changes[i].text);
    for (uint32_t i = 0; i < report->suspect_count; i++)
        for (uint32_t k = 0; k < report->suspects[i].evidence_count; k++) {
            const struct cause_evidence *e = &report->suspects[i].evidence[k];

            if (e->kind != EVIDENCE_CHANGE) /* these are there already */
                add_moment(&list, e->onset_ns,
                           name_of(report, report->suspects[i].component),
                           e->text);
        }
    qsort(list.at, list.count, sizeof(list.at[0]), by_time);
    jsonw_key(w, "timeline");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < list.count; i++) {
        jsonw_open(w, '{');
        jsonw_member_time(w, "timestamp", list.at[i].time_ns);
        if (list.at[i].component.len > 0)
            jsonw_member_text(w, "component", list.at[i].component);
        jsonw_member_text(w, "event", list.at[i].event);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

/* ---- the rest of the result ---- */

static bool is_cause(const struct cause_report *report, uint32_t i)
{
    return i < MAX_CAUSES && i < report->suspect_count &&
           report->suspects[i].score >= BESIDE * report->suspects[0].score;
}

static void write_actions(struct query_request *request,
                          const struct cause_report *report)
{
    struct jsonw *w = &request->json;

    jsonw_key(w, "recommendations");
    jsonw_open(w, '{');
    jsonw_key(w, "recommended_actions");
    jsonw_open(w, '[');
    for (uint32_t i = 0;
         report->found && i < MAX_ACTIONS && is_cause(report, i); i++) {
        const struct cause_suspect *s = &report->suspects[i];
        const char *const *words = advice[s->evidence[0].kind];
        struct slice name = linked(request, report, s->component);

        jsonw_open(w, '{');
        jsonw_member_text(w, "description",
                          sentence(request, "%s%.*s%s", words[0], (int)name.len,
                                   name.ptr, words[1]));
        jsonw_member_text(w, "rationale", s->evidence[0].text);
        text_member(w, "status", "suggested");
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    jsonw_key(w, "observability_recommendations");
    jsonw_open(w, '[');
    if (report->spans_read == 0) {
        jsonw_open(w, '{');
        text_member(w, "description",
                    "Send traces: without them nothing can be followed from "
                    "one component to the next");
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
    jsonw_close(w, '}');
}

static void write_found(struct query_request *request,
                        const struct rca_alert *alert,
                        const struct cause_report *report)
{
    struct jsonw *w = &request->json;

    text_member(w, "type", "root_cause_identified");
    jsonw_key(w, "root_causes");
    jsonw_open(w, '[');
    for (uint32_t i = 0; is_cause(report, i); i++)
        write_cause(request, report, &report->suspects[i]);
    jsonw_close(w, ']');
    write_timeline(w, alert, report);
    jsonw_key(w, "excluded_causes");
    jsonw_open(w, '[');
    for (uint32_t i = 0; i < report->excluded_count; i++) {
        jsonw_open(w, '{');
        jsonw_member_text(w, "description",
                          name_of(report, report->excluded[i].component));
        jsonw_member_text(w, "rationale", report->excluded[i].why);
        jsonw_close(w, '}');
    }
    jsonw_close(w, ']');
}

static void write_result(struct query_request *request,
                         const struct rca_alert *alert,
                         const struct cause_report *report)
{
    struct jsonw *w = &request->json;

    jsonw_key(w, "result");
    jsonw_open(w, '{');
    if (report->found) {
        write_found(request, alert, report);
    } else {
        bool empty = report->traces_during == 0 && report->suspect_count == 0;

        text_member(w, "type", "no_root_cause_identified");
        text_member(w, "outcome",
                    empty ? "insufficient_data" : "no_anomaly_detected");
        text_member(w, "explanation",
                    empty ? "There are no traces in the window, and no metric "
                            "rose."
                          : "Nothing differs from before by more than chance.");
    }
    write_actions(request, report);
    jsonw_close(w, '}');
}

/* ---- how it was found ---- */

static void write_step(struct jsonw *w, const char *action, const char *outcome)
{
    jsonw_open(w, '{');
    text_member(w, "action", action);
    text_member(w, "outcome", outcome);
    jsonw_close(w, '}');
}

static void write_path(struct jsonw *w, const struct cause_report *report)
{
    char text[200];

    jsonw_key(w, "investigation_path");
    jsonw_open(w, '[');
    (void)snprintf(text, sizeof(text),
                   "%llu spans and %llu log records of %llu traces before and "
                   "%llu during",
                   (unsigned long long)report->spans_read,
                   (unsigned long long)report->logs_read,
                   (unsigned long long)report->traces_before,
                   (unsigned long long)report->traces_during);
    write_step(w, "Compared traces and logs of the window with those before",
               text);
    (void)snprintf(text, sizeof(text), "%u of %u candidates show something",
                   (unsigned)report->suspect_count,
                   (unsigned)report->component_count);
    write_step(w, "Compared requests, calls and usage against limits", text);
    (void)snprintf(text, sizeof(text), "%u are explained by what they request",
                   (unsigned)report->excluded_count);
    write_step(w, "Followed the calls to the deepest that shows it", text);
    jsonw_close(w, ']');
}

void rca_report_write(struct query_request *request,
                      const struct rca_alert *alert,
                      const struct cause_report *report)
{
    struct jsonw *w = &request->json;

    jsonw_open(w, '{');
    rca_alert_write(w, alert);
    jsonw_member_text(w, "summary", rca_report_summary(request, report));
    write_result(request, alert, report);
    write_path(w, report);
    jsonw_close(w, '}');
}
