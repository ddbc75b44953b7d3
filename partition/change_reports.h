/*
 * change_reports - stores what the change detector found, each change once,
 * although several instances may find it.
 *
 * A change belongs to no block. It is written unless the last stored change of
 * the component of this kind says the same already; and under a token made of
 * the component, the change and the time of the one before: so of two instances
 * that find it at the same moment one writes it.
 *
 * Threads: change_reports_add(), change_reports_tick(): that of the tasks.
 */
#ifndef CHANGE_REPORTS_H
#define CHANGE_REPORTS_H

#include "partition_task.h"

struct change_reports {
    struct task_context *context;
    struct change_job *first; /* not stored yet */
    uint32_t count;
};

/* Takes the batch over: one event. */
void change_reports_add(struct change_reports *reports, struct batch *batch);

/* Frees those that are stored. */
void change_reports_tick(struct change_reports *reports);

/* No job runs any more. */
void change_reports_release(struct change_reports *reports);

#endif
