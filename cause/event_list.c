#include "event_list.h"

#include <math.h>
#include <stdlib.h>

#include "array.h"
#include "clock.h"

/* Roll-outs take minutes, and a bad version may need some to hurt. */
static const uint64_t LOOK_BACK_NS = 15 * NS_PER_MIN;
/* What happens to a pod hurts at once. */
static const uint64_t JUST_BEFORE_NS = 5 * NS_PER_MIN;
/* More reliable than a short baseline. */
static const uint64_t HISTORY_NS = 120 * NS_PER_MIN;
/* Of a shorter time a rate is not known. */
static const uint64_t LEAST_NS = 10 * NS_PER_MIN;

/* Of one query; the rest is not read. */
enum { MAX_NOTES = 20000 };

static bool is_change(const struct rca_event *e)
{
    return !e->rule || e->rule->kind == EVIDENCE_CHANGE;
}

static uint64_t ago(uint64_t time_ns, uint64_t length_ns)
{
    return time_ns > length_ns ? time_ns - length_ns : 0;
}

void event_list_init(struct event_list *list, const struct rca_times *times,
                     struct arena *arena)
{
    *list = (struct event_list){.arena = arena,
                                .times = times,
                                .history = rca_history(times, HISTORY_NS)};
}

uint32_t event_list_periods(const struct event_list *list,
                            struct cause_window periods[2])
{
    struct cause_window present = list->times->period[WINDOW];

    periods[0] = list->history;
    present.start_ns = ago(present.start_ns, LOOK_BACK_NS);
    if (present.start_ns <= list->history.end_ns + HISTORY_NS) {
        periods[0].end_ns = present.end_ns;
        if (present.start_ns < periods[0].start_ns)
            periods[0].start_ns = present.start_ns;
        return 1;
    }
    periods[1] = present;
    return 2;
}

/* Where the judged part of an entry begins. */
static uint64_t judged_from(const struct event_list *list,
                            const struct rca_event *e)
{
    uint64_t start = list->times->period[WINDOW].start_ns;
    uint64_t end = list->history.end_ns;

    if (is_change(e))
        return ago(start, LOOK_BACK_NS);
    return end > ago(start, JUST_BEFORE_NS) ? end : ago(start, JUST_BEFORE_NS);
}

/* Where its history ends. */
static uint64_t usual_until(const struct event_list *list,
                            const struct rca_event *e)
{
    uint64_t from = judged_from(list, e);

    return from < list->history.end_ns ? from : list->history.end_ns;
}

/* Of what has two names one counts. */
static bool is_same(const struct event_rule *a, const struct event_rule *b)
{
    return a == b || (a->says && b->says && strcmp(a->says, b->says) == 0);
}

static struct rca_event *entry_of(struct event_list *list,
                                  const struct event_note *note)
{
    struct rca_event *e;

    for (uint32_t i = 0; note->kind.len == 0 && i < list->count; i++) {
        e = &list->at[i];
        if (e->component == note->component && e->kind.len == 0 &&
            is_same(e->rule, note->rule) &&
            (note->rule->says || slice_equal(e->reason, note->reason)))
            return e;
    }
    e = arena_append(list->arena, &list->at, list->count, &list->room);
    if (!e)
        return NULL;
    list->count++;
    *e = (struct rca_event){.component = note->component,
                            .rule = note->rule,
                            .reason = note->reason,
                            .kind = note->kind,
                            .is_warning = note->is_warning};
    return e;
}

/* Senders repeat an event with its number and the time of the first: minutes
 * of the history that nothing else tells of. */
static void note_unseen(const struct event_list *list, struct rca_event *e,
                        const struct event_note *note)
{
    uint64_t until = usual_until(list, e), begin = note->began_ns;

    if (begin == 0 || begin >= until || note->total < 2)
        return;
    double rate = (note->total - 1) / (double)(note->time_ns - begin);

    e->before_ns =
        begin > list->history.start_ns ? begin : list->history.start_ns;
    double time = until > e->before_ns ? (double)(until - e->before_ns) : 0;

    e->minutes_before =
        (uint32_t)ceil(fmin(time * rate, time / (double)NS_PER_MIN));
}

bool event_list_add(struct event_list *list, const struct event_note *note)
{
    struct event_note *to;

    if (list->note_count == MAX_NOTES)
        return true;
    to = arena_append(list->arena, &list->notes, list->note_count,
                      &list->note_room);
    if (!to)
        return false;
    *to = *note;
    list->note_count++;
    return true;
}

static bool take_note(struct event_list *list, const struct event_note *note)
{
    struct rca_event *e = entry_of(list, note);
    uint64_t minute = note->time_ns / NS_PER_MIN;

    if (!e)
        return false;
    if (note->time_ns < judged_from(list, e)) {
        if (note->time_ns >= usual_until(list, e))
            return true;
        if (e->minutes_before == 0)
            e->before_ns = note->time_ns;
        e->minutes_before += e->last_ns / NS_PER_MIN != minute;
        e->last_ns = note->time_ns;
        return true;
    }
    e->minutes += e->first_ns == 0 || e->last_ns / NS_PER_MIN != minute;
    if (e->first_ns == 0) {
        e->first_ns = note->time_ns;
        if (e->minutes_before == 0)
            note_unseen(list, e, note);
    }
    e->last_ns = note->time_ns;
    e->counts[note->source] += note->times;
    if (note->text.len > 0)
        e->text = note->text;
    return true;
}

/* The share of now that exceeds what was usual since it happened first. */
static double news_of(const struct event_list *list, const struct rca_event *e)
{
    uint64_t until = usual_until(list, e), known = until - e->before_ns;
    double before = (double)(known > LEAST_NS ? known : LEAST_NS);
    double now =
        (double)(list->times->period[WINDOW].end_ns - judged_from(list, e));

    return fmax(0, 1 - e->minutes_before / before / (e->minutes / now));
}

static double strength(const struct rca_event *e)
{
    return e->rule ? e->rule->strength : 1;
}

static int by_first(const void *left, const void *right)
{
    const struct rca_event *a = left, *b = right;

    if (a->first_ns != b->first_ns)
        return a->first_ns < b->first_ns ? -1 : 1;
    if (a->component != b->component)
        return a->component < b->component ? -1 : 1;
    if (strength(a) < strength(b) || strength(a) > strength(b))
        return strength(a) > strength(b) ? -1 : 1;
    return slice_compare(a->text, b->text);
}

static int by_time(const void *left, const void *right)
{
    const struct event_note *a = left, *b = right;

    if (a->time_ns != b->time_ns)
        return a->time_ns < b->time_ns ? -1 : 1;
    if (a->component != b->component)
        return a->component < b->component ? -1 : 1;
    if (a->source != b->source)
        return a->source < b->source ? -1 : 1;
    int order = slice_compare(a->reason, b->reason);

    return order != 0 ? order : slice_compare(a->text, b->text);
}

bool event_list_close(struct event_list *list)
{
    uint32_t kept = 0;

    if (list->note_count > 0)
        qsort(list->notes, list->note_count, sizeof(*list->notes), by_time);
    for (uint32_t i = 0; i < list->note_count; i++)
        if (!take_note(list, &list->notes[i]))
            return false;
    for (uint32_t i = 0; i < list->count; i++) {
        struct rca_event e = list->at[i];

        if (event_times(&e) == 0)
            continue;
        e.news = news_of(list, &e);
        list->at[kept++] = e;
    }
    list->count = kept;
    if (kept > 0)
        qsort(list->at, kept, sizeof(*list->at), by_first);
    return true;
}
