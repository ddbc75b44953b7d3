/*
 * pod_history - what is usual for a pod that is too new to have a history: the
 * history of the same metric of the component's other pods.
 */
#ifndef POD_HISTORY_H
#define POD_HISTORY_H

#include "timeseries.h"

/* The labels of a point in two parts: those that tell pods and versions apart,
 * and the others, which are the same in all pods. */
struct label_hashes {
    uint64_t pod, other; /* pod 0: no label tells it */
};
struct label_hashes label_hashes_of(const struct attrs *attrs);

/* Needs `before` of all series, which are sorted (timeseries_sort()), and sets
 * it for new pods: their points are those of other pods first, then their own.
 * False: the arena is full. */
MUST_CHECK bool pod_history_borrow(struct timeseries_list *list,
                                   const struct rca_times *times);

#endif
