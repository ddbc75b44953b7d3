/*
 * correlator_changes - for the tagger: the detector that the correlators of all
 * partitions share; the rest is in correlate.h.
 *
 * Threads: that of the partitions.
 */
#ifndef CORRELATOR_CHANGES_H
#define CORRELATOR_CHANGES_H

#include "correlate.h"

struct change_detector *correlator_changes_detector(
    struct correlator_changes *changes);

#endif
