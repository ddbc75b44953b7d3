#include "incidents.h"

#include "clock.h"

enum {
    MIN_ALONE = 3, /* minutes, if no two components have symptoms at once */
    MIN_CLEAR = 2, /* minutes at the end of the window: it is over */
};

static uint32_t count_symptoms(const struct symptom_minutes *m, uint32_t minute)
{
    uint32_t n = 0;

    for (uint32_t i = 0; i < m->row_count; i++)
        n += m->rows[i].symptoms[minute] != 0;
    return n;
}

/* A component that has symptoms, none for a minute, and again is in the same
 * incident. */
static bool is_pause(const struct symptom_minutes *m, uint32_t minute)
{
    for (uint32_t i = 0;
         minute > 0 && minute + 1 < m->count && i < m->row_count; i++)
        if (m->rows[i].symptoms[minute - 1] && m->rows[i].symptoms[minute + 1])
            return true;
    return false;
}

static void add(struct incident_list *list, struct incident incident)
{
    if (list->count == MAX_INCIDENTS) {
        memmove(list->at, list->at + 1,
                (MAX_INCIDENTS - 1) * sizeof(*list->at));
        list->count--;
    }
    list->at[list->count++] = incident;
}

void incidents_find(struct incident_list *list, const struct symptom_minutes *m)
{
    struct incident now = {0};
    uint32_t most = 0;

    list->count = 0;
    for (uint32_t i = 0; i <= m->count; i++) {
        uint32_t n = i < m->count ? count_symptoms(m, i) : 0;

        if (n > 0) {
            if (most == 0)
                now.first = i;
            now.end = i + 1;
            most = n > most ? n : most;
            continue;
        }
        if (most == 0 || (i < m->count && is_pause(m, i)))
            continue;
        if (most > 1 || now.end - now.first >= MIN_ALONE)
            add(list, now);
        most = 0;
    }
}

uint64_t incidents_over(const struct incident_list *list,
                        const struct symptom_minutes *m,
                        const struct cause_window *window)
{
    for (uint32_t i = list->count; i > 0; i--) {
        uint64_t end_ns = m->from_ns + list->at[i - 1].end * NS_PER_MIN;

        if (end_ns <= window->start_ns)
            break;
        if (list->at[i - 1].end + MIN_CLEAR <= m->count ||
            end_ns + MIN_CLEAR * NS_PER_MIN <= window->end_ns)
            return end_ns;
    }
    return window->start_ns;
}
