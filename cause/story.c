/*
 * What a person reads first: cause, first failure, impact; who suffers along
 * the calls; what was looked at and is not the cause, and why not.
 */
#include <stdio.h>
#include <stdlib.h>

#include "clock.h"
#include "facts.h"

enum { MAX_EXCLUDED = 12 };

static struct slice name_of(const struct facts *facts, uint32_t c)
{
    return facts->components[c].component;
}

static const char *clock_of(uint64_t ns, char text[16])
{
    uint64_t s = ns / NS_PER_S % 86400;

    (void)snprintf(text, 16, "%02u:%02u:%02u", (unsigned)(s / 3600),
                   (unsigned)(s / 60 % 60), (unsigned)(s % 60));
    return text;
}

/* Callers, and theirs, that show something: nearest first, then by name. */
static bool find_victims(struct facts *facts, struct cause_suspect *s)
{
    uint32_t n = facts->component_count, head = 0, tail = 0;
    uint32_t *queue = arena_alloc(facts->arena, (n + 1) * sizeof(*queue));
    bool *seen = arena_zero(facts->arena, n + 1, sizeof(*seen));

    s->victims = arena_alloc(facts->arena, (n + 1) * sizeof(*s->victims));
    if (!queue || !seen || !s->victims)
        return false;
    queue[tail++] = s->component;
    seen[s->component] = true;
    while (head < tail) {
        uint32_t at = queue[head++];

        for (uint32_t c = 0; c < n; c++) {
            if (seen[c] || !facts_calls(facts, c, at))
                continue;
            seen[c] = true;
            queue[tail++] = c;
            if (facts->evidence[c].count > 0)
                s->victims[s->victim_count++] = c;
        }
    }
    return true;
}

static struct slice cause_words(struct facts *facts,
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

/* The earliest thing that a request or a line showed. */
static struct slice first_failure(struct facts *facts)
{
    const struct cause_evidence *first = NULL;
    uint32_t who = 0;
    char at[16];

    for (uint32_t c = 0; c < facts->component_count; c++)
        for (uint32_t i = 0; i < facts->evidence[c].count; i++) {
            const struct cause_evidence *e = &facts->evidence[c].at[i];

            if (e->onset_ns == 0 || e->nats < 1 || e->kind == CAUSE_CHANGE ||
                (first && e->onset_ns >= first->onset_ns))
                continue;
            first = e;
            who = c;
        }
    if (!first)
        return (struct slice){NULL, 0};
    struct slice name = name_of(facts, who);
    return facts_text(facts, "%s UTC %.*s: %.*s", clock_of(first->onset_ns, at),
                      (int)name.len, name.ptr, (int)first->text.len,
                      first->text.ptr);
}

static struct slice impact(struct facts *facts, const struct cause_suspect *s)
{
    struct slice text =
        facts_text(facts,
                   s->victim_count == 0 ? "no caller shows anything"
                                        : "%u of its callers show it",
                   s->victim_count);

    for (uint32_t i = 0; i < s->victim_count && i < 5; i++) {
        struct slice name = name_of(facts, s->victims[i]);

        text = facts_text(facts, "%.*s%s %.*s", (int)text.len, text.ptr,
                          i == 0 ? ":" : ",", (int)name.len, name.ptr);
    }
    return text;
}

static void exclude(struct facts *facts, struct cause_report *report,
                    uint32_t c, struct slice why)
{
    if (report->excluded_count < MAX_EXCLUDED)
        report->excluded[report->excluded_count++] =
            (struct cause_excluded){c, why};
    (void)facts;
}

static void find_excluded(struct facts *facts, struct cause_report *report)
{
    for (uint32_t i = 1; i < report->suspect_count; i++) {
        const struct cause_suspect *s = &report->suspects[i];

        if (s->because == NOBODY || s->evidence_count == 0)
            continue;
        struct slice by = name_of(facts, s->because);
        struct slice text = s->evidence[0].text;

        exclude(facts, report, s->component,
                facts_text(facts, "%.*s; %.*s, which it calls, explains it",
                           (int)text.len, text.ptr, (int)by.len, by.ptr));
    }
    for (uint32_t c = 0; c < facts->component_count; c++)
        if (facts->evidence[c].count > 0 &&
            facts->evidence[c].best[CAUSE_CHANGE] > 0 &&
            facts->evidence[c].count == 1)
            exclude(facts, report, c,
                    SLICE("it changed, and shows nothing else"));
}

bool story_tell(struct facts *facts, struct cause_report *report)
{
    report->excluded =
        arena_zero(facts->arena, MAX_EXCLUDED, sizeof(*report->excluded));
    if (!report->excluded)
        return false;
    for (uint32_t i = 0; i < report->suspect_count; i++)
        if (i < CAUSE_TOLD && !find_victims(facts, &report->suspects[i]))
            return false;
    find_excluded(facts, report);
    if (!report->found) {
        report->cause = SLICE("nothing stands out");
        return true;
    }
    report->cause = cause_words(facts, &report->suspects[0]);
    report->first_failure = first_failure(facts);
    report->impact = impact(facts, &report->suspects[0]);
    return !facts->full;
}
