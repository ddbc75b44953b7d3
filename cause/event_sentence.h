/*
 * event_sentence - what happens inside requests, or no longer does.
 */
#ifndef EVENT_SENTENCE_H
#define EVENT_SENTENCE_H

#include "quantity.h"

/* A log line or a call, in so many of the traces that got as far as the event
 * before it. */
struct event_words {
    struct slice what, after; /* after: the event before it, or empty */
    bool is_call, is_error;
    bool still_made; /* a call without an error: it is made, and fails */
    bool is_sample;  /* not all traces were looked at */
    double before, before_of, now, now_of;
};

struct slice event_sentence(struct arena *arena, const struct event_words *e);

#endif
