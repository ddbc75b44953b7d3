/*
 * What a person reads first: cause, first failure, impact; who suffers along
 * the calls, and by which way it reaches users; what changed just before; what
 * was looked at and is not the cause, and why not.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "derived.h"
#include "rca_context.h"

enum { MAX_EXCLUDED = 12, MAX_NAMED = 3 };

static struct slice name_of(const struct rca_context *facts, uint32_t c)
{
    return facts->components[c].component;
}

/* Of a day: what is asked about is mostly today. */
static const char *clock_of(uint64_t ns, char text[16])
{
    uint64_t s = ns / NS_PER_S % 86400;

    (void)snprintf(text, 16, "%02u:%02u", (unsigned)(s / 3600),
                   (unsigned)(s / 60 % 60));
    return text;
}

/* What it shows of a fault elsewhere: its own limits say nothing of that. */
static const struct cause_evidence *shown_by(const struct rca_context *facts,
                                             uint32_t c)
{
    const struct evidence_list *list = &facts->evidence[c];
    const struct cause_evidence *best = NULL;

    for (uint32_t i = 0; i < list->count; i++)
        if (evidence_tells(&list->at[i]) &&
            list->at[i].kind != EVIDENCE_RESOURCE &&
            (!best || list->at[i].nats > best->nats))
            best = &list->at[i];
    return best;
}

/* ---- along the calls ---- */

struct caller_walk { /* who calls it, and who these, nearest first */
    uint32_t *order, *from, count;
};

static void visit_callers(const struct rca_context *facts,
                          struct caller_walk *walk, uint32_t at, bool showing)
{
    for (uint32_t c = 0; c < facts->component_count; c++) {
        if (walk->from[c] != NOBODY || !facts_calls(facts, c, at) ||
            (shown_by(facts, c) != NULL) != showing)
            continue;
        walk->from[c] = at;
        walk->order[walk->count++] = c;
    }
}

static bool walk_up(struct rca_context *facts, uint32_t start,
                    struct caller_walk *walk)
{
    size_t room = (facts->component_count + 1) * sizeof(uint32_t);

    walk->order = arena_alloc(facts->arena, room);
    walk->from = arena_alloc(facts->arena, room);
    if (!walk->order || !walk->from)
        return false;
    memset(walk->from, 0xff, room); /* NOBODY */
    walk->from[start] = start;
    walk->order[0] = start;
    walk->count = 1;
    for (uint32_t i = 0; i < walk->count; i++) {
        visit_callers(facts, walk, walk->order[i], true);
        visit_callers(facts, walk, walk->order[i], false);
    }
    return true;
}

static bool find_victims(struct rca_context *facts,
                         const struct caller_walk *walk,
                         struct cause_suspect *s)
{
    s->victims = arena_alloc(facts->arena, walk->count * sizeof(*s->victims));
    for (uint32_t i = 1; s->victims && i < walk->count; i++)
        if (shown_by(facts, walk->order[i]))
            s->victims[s->victim_count++] = walk->order[i];
    return s->victims;
}

/* To where users suffer most; if they do not, to the last victim. */
static uint32_t path_end(const struct cause_report *report)
{
    const struct cause_suspect *s = &report->suspects[0];

    if (report->impact_count > 0)
        return report->impacts[0].component;
    return s->victim_count > 0 ? s->victims[s->victim_count - 1] : s->component;
}

static bool find_path(struct rca_context *facts, const struct caller_walk *walk,
                      struct cause_report *report)
{
    const struct cause_suspect *s = &report->suspects[0];
    uint32_t n = 1, at = path_end(report);

    for (uint32_t c = at; c != s->component; c = walk->from[c])
        n++;
    report->path = arena_zero(facts->arena, n, sizeof(*report->path));
    if (!report->path)
        return false;
    report->path_count = n;
    for (; n > 0; at = walk->from[at]) {
        const struct cause_evidence *e = shown_by(facts, at);

        report->path[--n].component = at;
        if (at == s->component)
            e = &s->evidence[0];
        if (e)
            report->path[n].shows = e->text;
    }
    return true;
}

static enum status follow_calls(struct rca_context *facts,
                                struct cause_report *report)
{
    enum status status = OK;

    for (uint32_t i = 0; i < report->suspect_count && i < CAUSE_MAX_LISTED;
         i++) {
        struct cause_suspect *s = &report->suspects[i];
        struct caller_walk walk;

        if (!walk_up(facts, s->component, &walk) ||
            !find_victims(facts, &walk, s))
            return arena_status(facts->arena);
        if (i > 0 || !report->found)
            continue;
        status = impact_find(facts, report, walk.order, walk.count);
        if (status != OK || !find_path(facts, &walk, report))
            return status != OK ? status : arena_status(facts->arena);
    }
    return OK;
}

/* ---- what changed ---- */

static struct slice attr_of(const struct log_record *log, const char *key)
{
    const struct attr *a = attrs_find(&log->attrs, slice_of(key));

    return a ? attr_text(a) : (struct slice){NULL, 0};
}

/* The newest: they are sorted by time. */
static bool list_changes(struct rca_context *facts, struct cause_report *report)
{
    struct cause_change *all =
        arena_zero(facts->arena, facts->event_count + 1, sizeof(*all));
    uint32_t n = 0;

    for (uint32_t i = 0; all && i < facts->event_count; i++) {
        const struct log_record *log = &facts->events[i];
        uint32_t c = facts_component(facts, log->resource_id);
        bool change = slice_equal(log->event_name, SLICE(DERIVED_CHANGE));

        if (c != NOBODY && (change || log->level >= LEVEL_WARN))
            all[n++] = (struct cause_change){
                log->time_ns, c,
                change ? attr_of(log, DERIVED_CHANGE_KIND)
                       : attr_of(log, "k8s.event.reason"),
                arena_copy(facts->arena, attr_text(&log->body))};
    }
    report->change_count = n < CAUSE_MAX_CHANGES ? n : CAUSE_MAX_CHANGES;
    report->changes = all ? all + n - report->change_count : NULL;
    return all;
}

/* ---- sentences ---- */

static struct slice tell_cause(struct rca_context *facts,
                               const struct cause_suspect *s)
{
    struct slice name = name_of(facts, s->component);
    struct slice text = s->evidence[0].text;
    char at[16];

    return facts_text(facts, "%.*s: %.*s%s%s%s", (int)name.len, name.ptr,
                      (int)text.len, text.ptr, s->onset_ns ? ", since " : "",
                      s->onset_ns ? clock_of(s->onset_ns, at) : "",
                      s->onset_ns ? " UTC" : "");
}

/* The earliest thing that a suspect showed, by the minute: a caller's request
 * begins before the one that it waits for. Within a minute it is the most
 * likely one's. */
static struct slice tell_first(struct rca_context *facts,
                               const struct cause_report *report)
{
    const struct cause_evidence *first = NULL;
    uint32_t who = 0;
    char at[16];

    for (uint32_t i = 0;
         i < report->suspect_count && i < CAUSE_CHARTED_SUSPECTS; i++)
        for (uint32_t k = 0; k < report->suspects[i].evidence_count; k++) {
            const struct cause_evidence *e = &report->suspects[i].evidence[k];

            if (e->onset_ns == 0 || !evidence_tells(e) ||
                (first &&
                 e->onset_ns / NS_PER_MIN >= first->onset_ns / NS_PER_MIN))
                continue;
            first = e;
            who = report->suspects[i].component;
        }
    if (!first)
        return (struct slice){NULL, 0};
    struct slice name = name_of(facts, who);
    return facts_text(facts, "%s UTC, %.*s: %.*s",
                      clock_of(first->onset_ns, at), (int)name.len, name.ptr,
                      (int)first->text.len, first->text.ptr);
}

static struct slice tell_victims(struct rca_context *facts,
                                 const struct cause_suspect *s)
{
    struct slice text = {NULL, 0};

    for (uint32_t i = 0; i < s->victim_count && i < MAX_NAMED; i++) {
        struct slice name = name_of(facts, s->victims[i]);

        text = facts_text(facts, "%.*s%s%.*s", (int)text.len,
                          text.ptr ? text.ptr : "", i == 0 ? "" : ", ",
                          (int)name.len, name.ptr);
    }
    if (s->victim_count > MAX_NAMED)
        text = facts_text(facts, "%.*s and %u more", (int)text.len, text.ptr,
                          s->victim_count - MAX_NAMED);
    return text;
}

/* "web: POST /checkout fails in 92 of 99 requests (3 of 146 before), and takes
 * longer than 340 ms in 12 of 99 requests" */
static struct slice tell_entry(struct rca_context *facts,
                               const struct cause_impact *i)
{
    struct slice name = name_of(facts, i->component), text = SLICE("");
    bool slow = i->limit_ns > 0, fails = !slow || i->failed > i->slow / 10;

    if (fails)
        text = facts_text(
            facts, "fails in %llu of %llu requests (%llu of %llu before)%s",
            (unsigned long long)i->failed, (unsigned long long)i->requests,
            (unsigned long long)i->failed_before,
            (unsigned long long)i->requests_before, slow ? ", " : "");
    if (slow)
        text = facts_text(
            facts, "%.*s%stakes longer than %llu ms in %llu of %llu requests",
            (int)text.len, text.ptr, fails ? "and " : "",
            (unsigned long long)(i->limit_ns / 1000000),
            (unsigned long long)i->slow, (unsigned long long)i->requests);
    return facts_text(facts, "%.*s: %.*s %.*s", (int)name.len, name.ptr,
                      (int)i->operation.len, i->operation.ptr, (int)text.len,
                      text.ptr);
}

static struct slice tell_impact(struct rca_context *facts,
                                const struct cause_report *report)
{
    const struct cause_suspect *s = &report->suspects[0];
    struct slice victims = tell_victims(facts, s);
    struct slice worst = {NULL, 0};

    if (report->impact_count > 0)
        worst = tell_entry(facts, &report->impacts[0]);
    if (report->impact_count > 1)
        worst = facts_text(facts, "%.*s; %u more operation%s", (int)worst.len,
                           worst.ptr, report->impact_count - 1,
                           report->impact_count == 2 ? " suffers" : "s suffer");
    if (worst.len > 0)
        return worst;
    if (victims.len > 0)
        return facts_text(facts, "seen by %.*s; requests of users go as before",
                          (int)victims.len, victims.ptr);
    return SLICE("none that users or callers show");
}

/* ---- what it is not ---- */

static struct slice why_not(struct rca_context *facts,
                            const struct cause_report *report,
                            const struct cause_suspect *s)
{
    struct slice text = s->evidence[0].text;
    double ahead = report->suspects[0].score / s->score;

    if (s->because != NOBODY) {
        struct slice by = name_of(facts, s->because);

        return facts_text(facts, "%.*s; %.*s, which it calls, explains it",
                          (int)text.len, text.ptr, (int)by.len, by.ptr);
    }
    if (s->evidence[0].kind == EVIDENCE_CHANGE)
        return facts_text(facts, "%.*s, and shows nothing else", (int)text.len,
                          text.ptr);
    return facts_text(facts, "%.*s; that weighs %.0f times less", (int)text.len,
                      text.ptr, ahead);
}

/* Those that show something. That a component changed and shows nothing is
 * worth a word, too, so it comes although its score is 0. */
static bool find_excluded(struct rca_context *facts,
                          struct cause_report *report)
{
    uint32_t n = 0;

    report->excluded =
        arena_zero(facts->arena, MAX_EXCLUDED, sizeof(*report->excluded));
    if (!report->excluded)
        return false;
    for (uint32_t i = 1; i < report->suspect_count && n < MAX_EXCLUDED; i++) {
        const struct cause_suspect *s = &report->suspects[i];

        if (s->evidence_count > 0 &&
            (s->because != NOBODY || evidence_tells(&s->evidence[0])))
            report->excluded[n++] = (struct cause_excluded){
                s->component, why_not(facts, report, s)};
    }
    for (uint32_t c = 0; c < facts->component_count && n < MAX_EXCLUDED; c++)
        if (facts->evidence[c].count == 1 &&
            facts->evidence[c].best[EVIDENCE_CHANGE] > 0)
            report->excluded[n++] = (struct cause_excluded){
                c, SLICE("it changed, and shows nothing else")};
    report->excluded_count = n;
    return true;
}

enum status story_tell(struct rca_context *facts, struct cause_report *report)
{
    enum status s = follow_calls(facts, report);

    if (s != OK)
        return s;
    if (!list_changes(facts, report) || !find_excluded(facts, report))
        return arena_status(facts->arena);
    if (!report->found) {
        report->cause = SLICE("nothing stands out");
        return OK;
    }
    if (facts->component_kinds[report->suspects[0].component] ==
        CANDIDATE_COMPONENT)
        s = lines_find(facts, report);
    report->cause = tell_cause(facts, &report->suspects[0]);
    report->first_failure = tell_first(facts, report);
    report->impact = tell_impact(facts, report);
    return s == OK && facts->full ? ERR_BUSY : s;
}
