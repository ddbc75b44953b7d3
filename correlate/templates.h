/*
 * templates - counts log records by the constant part of their text.
 *
 * The template is that of template.h over the body, or over the message member
 * of a structured one; a record without either counts as {other}. Templates of
 * a component are limit.
 *
 * Threads  the correlator's.
 */
#ifndef TEMPLATES_H
#define TEMPLATES_H

#include "cardinality_limit.h"
#include "components.h"
#include "derived_table.h"
#include "template.h"

struct templates {
    struct template_split split; /* too large for a stack */
    struct buf shown;
    uint32_t max_templates;
};

void templates_init(struct templates *templates, uint32_t max_templates);
void templates_release(struct templates *templates);

void templates_count(struct templates *templates,
                     struct cardinality_limit *limit,
                     struct derived_table *derived,
                     const struct component *component,
                     const struct log_record *log);

#endif
