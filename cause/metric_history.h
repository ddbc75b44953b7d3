/*
 * metric_history - how far a time series is, in the window, from what it
 * usually is, in units of its usual spread.
 */
#ifndef METRIC_HISTORY_H
#define METRIC_HISTORY_H

#include "timeseries.h"

/* The load of a component. */
struct component_load {
    double ratio;    /* to the usual load; at least 1 */
    double requests; /* as its metrics count them; 0: not known */
};

struct deviation {
    uint32_t first, end; /* points of the window */
    double now, score;
    uint64_t onset_ns;
};

/* Median and spread of all series. room: as long as the longest and as many as
 * there are. False: the arena is full. */
MUST_CHECK bool history_measure(struct timeseries_list *list,
                                const struct rca_times *times);

/* Which of so many points, from the smallest up, stands for all of them. */
typedef uint32_t level_rank(uint32_t count);
uint32_t history_upper_quartile(uint32_t count);
uint32_t history_second_largest(uint32_t count); /* of two: the largest */

/* That one of the points; sign -1: of the points below 0. NAN: all are of a
 * process that has just started. */
double history_level(const struct timeseries *t, uint32_t first, uint32_t count,
                     double sign, level_rank *rank, double *room);

/* How far the level of so many points in a row was from the median before: at
 * most, nearly always, as an earlier incident may be among them. */
double history_usual_reach(const struct timeseries *t, uint32_t run,
                           double sign, level_rank *rank, double *room);

/* sign -1: less is worse. room is for twice as many numbers as any series has
 * points. */
struct deviation history_deviation(const struct timeseries *t,
                                   const struct rca_times *times, double sign,
                                   const struct component_load *load,
                                   double *room);

/* Of failures that were counted: the score that their counts allow. */
double history_count_score(const struct timeseries *t,
                           const struct deviation *d);

/* Of log records: how much more likely their numbers are if more are written
 * now. load: its ratio to the usual load. */
double history_log_score(const struct timeseries *t, const struct deviation *d,
                         double load, double *room);

#endif
