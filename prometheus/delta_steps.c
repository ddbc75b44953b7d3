/*
 * Deltas as a counter that is read like one that was scraped.
 *
 * The counter begins again at each full hour, so that a sample depends on the
 * deltas of its hour only, never on where a query starts:
 *
 *   hour + 1 ms            0, if the hour before had no deltas
 *   each minute with deltas  at their times: the sum since the full hour
 *   each minute without      at its end: the same again
 *
 * The first of these samples is told to be a reset. Where the hour before had
 * deltas there is no 0 at its beginning: samples stay a minute apart, and
 * rate() extrapolates by that distance.
 *
 * A delta at a full hour belongs to the hour that ends there. The hour after
 * the last delta has zeros, so that rates fall to 0, then the series ends.
 * Nothing is repeated later than raw->limit_ms.
 */
#include "selection.h"

enum { MINUTE = 60 * 1000, HOUR = 60 * MINUTE };

/* The full hour before a time, which belongs to the hour that ends with it. */
static int64_t hour_of(int64_t time_ms)
{
    return time_ms > 0 ? (time_ms - 1) / HOUR * HOUR : 0;
}

int64_t steps_read_from(int64_t start_ms)
{
    int64_t hour = hour_of(start_ms + 1);

    return hour >= HOUR ? hour - HOUR : 0;
}

struct maker {
    struct steps *steps;
    const struct raw *raw;
    const struct sample_list *lists[LISTS]; /* those that are not empty */
    uint32_t next[LISTS];
    uint32_t list_count;
    bool begins; /* the next step is the first one of its hour */
};

/* The same of one list, as most have. */
static inline bool next_of_one(struct maker *m, int64_t until, int64_t *time_ms)
{
    const struct sample_list *list = m->lists[0];
    const struct sample *at = list->at;
    uint32_t next = m->next[0], count = list->count;

    if (next == count || at[next].time_ms > until)
        return false;
    *time_ms = at[next].time_ms;
    do
        next++;
    while (next < count && at[next].time_ms == *time_ms);
    m->next[0] = next;
    return true;
}

/* The time of the next delta that is not after `until`; false: none. */
static inline bool next_delta(struct maker *m, int64_t until, int64_t *time_ms)
{
    bool found = false;

    if (m->list_count == 1)
        return next_of_one(m, until, time_ms);
    for (uint32_t i = 0; i < m->list_count; i++) {
        const struct sample_list *list = m->lists[i];

        if (m->next[i] == list->count || list->at[m->next[i]].time_ms > until ||
            (found && list->at[m->next[i]].time_ms >= *time_ms))
            continue;
        *time_ms = list->at[m->next[i]].time_ms;
        found = true;
    }
    for (uint32_t i = 0; found && i < m->list_count; i++) {
        const struct sample_list *list = m->lists[i];

        while (m->next[i] < list->count &&
               list->at[m->next[i]].time_ms == *time_ms)
            m->next[i]++;
    }
    return found;
}

/* How many samples there are at most; the lists are in order. */
static uint64_t steps_room(const struct raw *raw)
{
    uint64_t most = 0;

    for (int i = 0; i < LISTS; i++) {
        const struct sample_list *list = &raw->lists[i];
        uint64_t hours;

        if (list->count == 0)
            continue;
        hours = (uint64_t)(hour_of(list->at[list->count - 1].time_ms) -
                           hour_of(list->at[0].time_ms)) /
                    HOUR +
                1;
        if (hours > list->count)
            hours = list->count;
        most += list->count + hours * 2 * (HOUR / MINUTE + 1);
    }
    return most;
}

static void add_step(struct maker *m, int64_t time_ms)
{
    struct steps *s = m->steps;

    if (s->count > 0 && s->times[s->count - 1] == time_ms)
        return;
    if (s->count == s->room)
        return;
    s->times[s->count] = time_ms;
    if (m->begins)
        s->begins[s->count / 64] |= UINT64_C(1) << (s->count & 63);
    m->begins = false;
    s->count++;
}

/* follows: the hour before had deltas. */
static void add_hour(struct maker *m, int64_t hour, bool follows)
{
    int64_t time_ms = 0;

    m->begins = true;
    if (!follows)
        add_step(m, hour + 1);
    for (int64_t end = hour + MINUTE; end <= hour + HOUR; end += MINUTE) {
        bool any = false;

        while (next_delta(m, end, &time_ms)) {
            add_step(m, time_ms);
            any = true;
        }
        if (!any && end <= m->raw->limit_ms)
            add_step(m, end);
    }
}

static bool first_delta(const struct maker *m, int64_t *time_ms)
{
    bool found = false;

    for (uint32_t i = 0; i < m->list_count; i++) {
        const struct sample_list *list = m->lists[i];

        if (m->next[i] < list->count &&
            (!found || list->at[m->next[i]].time_ms < *time_ms)) {
            *time_ms = list->at[m->next[i]].time_ms;
            found = true;
        }
    }
    return found;
}

bool steps_make(struct steps *steps, const struct raw *raw, struct arena *arena)
{
    struct maker m = {.steps = steps, .raw = raw};
    uint64_t room = steps_room(raw);
    int64_t time_ms = 0, hour = INT64_MIN; /* the last one with deltas */

    *steps = (struct steps){0};
    for (int i = 0; i < LISTS; i++)
        if (raw->lists[i].count > 0)
            m.lists[m.list_count++] = &raw->lists[i];
    if (room >= UINT32_MAX)
        return false;
    steps->room = (uint32_t)room;
    steps->times = arena_alloc(arena, room * sizeof(*steps->times) + 8);
    steps->begins = arena_zero(arena, room / 64 + 1, sizeof(*steps->begins));
    if (!steps->times || !steps->begins)
        return false;
    while (first_delta(&m, &time_ms)) {
        bool follows = hour_of(time_ms) == hour + HOUR;

        if (hour != INT64_MIN && !follows)
            add_hour(&m, hour + HOUR, true);
        hour = hour_of(time_ms);
        add_hour(&m, hour, follows);
    }
    if (hour != INT64_MIN)
        add_hour(&m, hour + HOUR, true);
    return true;
}
