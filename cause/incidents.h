/*
 * incidents - times in which components have symptoms, told from each other by
 * minutes without any. A query is about the one that is still there at the end
 * of its window; one that was over before is another incident.
 */
#ifndef INCIDENTS_H
#define INCIDENTS_H

#include "symptom_minutes.h"

enum { MAX_INCIDENTS = 16 };

struct incident {
    uint32_t first, end; /* minutes; end: the first without symptoms */
};

struct incident_list { /* by time, the latest ones */
    struct incident at[MAX_INCIDENTS];
    uint32_t count;
};

void incidents_find(struct incident_list *list,
                    const struct symptom_minutes *minutes);

/* When the latest incident that began in the window and is over ended; the
 * start of the window if there is none. */
uint64_t incidents_over(const struct incident_list *list,
                        const struct symptom_minutes *minutes,
                        const struct cause_window *window);

#endif
