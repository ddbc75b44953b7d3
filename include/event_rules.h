/*
 * event_rules - what the events of Kubernetes mean for the component whose pods
 * they are about, and the states of containers that metrics report under the
 * same names.
 *
 * Purpose:   one table of reasons for the search for a cause and for the list
 *            of changes.
 * Ownership: constants.
 * Threads:   any.
 * Errors:    none.
 */
#ifndef EVENT_RULES_H
#define EVENT_RULES_H

#include "record.h"

struct event_rule {
    const char *reason;
    const char *part; /* of the message; NULL: whatever it is */
    const char *says; /* NULL: the message is a sentence already */
    const char *class;
    uint8_t kind;    /* enum evidence_kind; a change supports other evidence */
    bool is_quoted;  /* the message says more */
    bool at_start;   /* usual for a moment while a pod starts */
    double strength; /* 0: good news, to 1: the component does not work */
};

/* Of an event that warns and has no other rule. */
extern const struct event_rule event_rule_other;

/* NULL: no evidence. */
const struct event_rule *event_rule_find(struct slice reason,
                                         struct slice message);

/* All reasons, each once; EVENT_MAX_REASONS at most. */
enum { EVENT_MAX_REASONS = 64 };
uint32_t event_rule_reasons(struct slice reasons[EVENT_MAX_REASONS]);

#endif
