/*
 * units - units as senders write them, to base units.
 *
 * UCUM, as OpenTelemetry asks for it (ms, By, MiBy, {cpu}, %), and the words
 * that SDKs and Prometheus exporters use instead (milliseconds, bytes, MiB).
 * Words are compared without case, symbols with it: ms is not Ms. An annotation
 * after a unit (By{sent}) does not count.
 *
 * Purpose:   One table of units.
 * Ownership: Nothing is allocated.
 * Threads:   Any; there is no state.
 * Errors:    An unknown unit is QUANTITY_OTHER.
 */
#ifndef UNITS_H
#define UNITS_H

#include <stdbool.h>

#include "slice.h"

enum quantity {
    QUANTITY_OTHER,
    QUANTITY_TIME,  /* s */
    QUANTITY_BYTES, /* By */
    QUANTITY_CORES, /* {cpu} */
    QUANTITY_RATIO, /* 1 */
};

/* What the unit measures; *factor turns its values into those of the base
 * unit. QUANTITY_OTHER and 1 for one that is not known. */
enum quantity unit_quantity(struct slice unit, double *factor);

/* The factor to the base unit of `quantity`; `otherwise` if the unit is not
 * one of it (none was sent, or a wrong one). */
double unit_factor(struct slice unit, enum quantity quantity, double otherwise);

#endif
