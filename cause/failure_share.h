/*
 * failure_share - metrics that are a share of requests that failed or went
 * well: an availability in percent, an error rate from 0 to 1.
 */
#ifndef FAILURE_SHARE_H
#define FAILURE_SHARE_H

#include "timeseries.h"

/* Turns the values of such a series into the share that fails. Numbers of
 * failures stay as they are. */
void failure_share_take(struct timeseries *t);

#endif
