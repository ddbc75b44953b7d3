/*
 * metric_sentence - what a metric shows, as a sentence with true units.
 */
#ifndef METRIC_SENTENCE_H
#define METRIC_SENTENCE_H

#include "quantity.h"

/* Sets the text, the numbers and the scale of the chart: a metric that was
 * `before` in the baseline and is `now`, as its series has it. */
void metric_describe(struct arena *arena, const struct timeseries *t,
                     double before, double now, struct cause_evidence *e);

#endif
